// SPDX-License-Identifier: Apache-2.0
// The ops of DeepSeek sparse attention: the three kernels, and whole blocks.
#pragma once

#include "perfatlas/ops/dsa/dsa_attention.h"
#include "perfatlas/ops/dsa/dsa_module.h"
#include "perfatlas/ops/dsa/dsa_mqa_logits.h"
#include "perfatlas/ops/dsa/dsa_topk.h"
