// SPDX-License-Identifier: Apache-2.0
// Element-wise sums as MPI operations, where MPI has none: 16-bit floats are added in fp32 and rounded to nearest even
// after each addition; int8 wraps, as NCCL's does (Open MPI 4.1's own int8 sum saturates in its vector loops and wraps
// in the rest). Signature of MPI_User_function; the MPI type has the element's width.
#pragma once

#include <mpi.h>

namespace perfatlas {

void add_half(void* in, void* in_out, int* count, MPI_Datatype*);
void add_bfloat16(void* in, void* in_out, int* count, MPI_Datatype*);
void add_int8(void* in, void* in_out, int* count, MPI_Datatype*);

}  // namespace perfatlas
