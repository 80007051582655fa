# SPDX-License-Identifier: Apache-2.0
# perfatlas_op(<folder> <Struct>... [CPU] [GGML] [MPI] [CUDA] [NCCL]): one call per op folder in
# perfatlas/ops/CMakeLists.txt; the calls are the registry. A folder holds <folder>.h (the declarations), any other
# *.cpp it needs, and per back end <folder>_<kind>.cpp (kind: cpu, ggml, mpi, cuda, nccl) defining
# add_<folder>_<kind>_kernels(KernelRegistry&). Where the compatible engine knows the op, <folder>_aic_case.cpp defines
# add_<folder>_case_mappings (aic/case_mapping.h). Sources are every *.cpp of the folder: *_test.cpp are tests,
# *_<kind>*.cpp and *_<kind>*.cu kernels.
set(PERFATLAS_KERNEL_KINDS cpu ggml mpi cuda nccl)

set_property(GLOBAL PROPERTY perfatlas_ops "")

function(perfatlas_op folder)
  list(TRANSFORM PERFATLAS_KERNEL_KINDS TOUPPER OUTPUT_VARIABLE flags)
  cmake_parse_arguments(ARG "${flags}" "" "" ${ARGN})
  set_property(GLOBAL APPEND PROPERTY perfatlas_ops ${folder})
  set_property(GLOBAL PROPERTY perfatlas_op_${folder}_structs ${ARG_UNPARSED_ARGUMENTS})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  file(GLOB device_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cu)
  list(JOIN PERFATLAS_KERNEL_KINDS "|" kinds)
  foreach(kind IN LISTS PERFATLAS_KERNEL_KINDS)
    string(TOUPPER ${kind} flag)
    set_property(GLOBAL PROPERTY perfatlas_op_${folder}_${kind} ${ARG_${flag}})
    set(kernels ${sources} ${device_sources})
    list(FILTER kernels INCLUDE REGEX "_${kind}(_[a-z0-9_]+)?\\.(cpp|cu)$")
    list(FILTER kernels EXCLUDE REGEX "_test\\.cpp$")
    set_property(GLOBAL PROPERTY perfatlas_op_${folder}_${kind}_sources ${kernels})
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set_property(GLOBAL PROPERTY perfatlas_op_${folder}_tests ${tests})
  # What the compatible engine adds to an op belongs to the library of that engine (aic/CMakeLists.txt).
  list(FILTER sources EXCLUDE REGEX "_(${kinds}|aic)(_[a-z0-9_]+)?\\.cpp$|_test\\.cpp$")
  set_property(GLOBAL APPEND PROPERTY perfatlas_op_sources ${sources})
endfunction()

# Writes ${CMAKE_BINARY_DIR}/generated/perfatlas/ops/all_ops.cpp: every declared op, in order.
function(perfatlas_write_registry)
  get_property(folders GLOBAL PROPERTY perfatlas_ops)
  set(includes "")
  set(adds "")
  set(likenesses "")
  foreach(folder IN LISTS folders)
    string(APPEND includes "#include \"perfatlas/ops/${folder}/${folder}.h\"\n")
    get_property(structs GLOBAL PROPERTY perfatlas_op_${folder}_structs)
    foreach(struct IN LISTS structs)
      string(APPEND adds "  registry.add(make_op_type<${struct}>());\n")
      string(APPEND likenesses "  add_resemblance<${struct}>(all);\n")
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/all_ops.cpp @ONLY CONTENT
"// Generated from perfatlas/ops/CMakeLists.txt.
#include \"perfatlas/ops/all_ops.h\"
#include \"perfatlas/ops/all_resemblances.h\"

@includes@
namespace perfatlas {
OpRegistry all_ops() {
  OpRegistry registry;
@adds@  return registry;
}
std::vector<OpResemblance> all_resemblances() {
  std::vector<OpResemblance> all;
@likenesses@  return all;
}
}  // namespace perfatlas
")
endfunction()

# Writes generated/all_case_mappings.cpp, of the folders that have a <folder>_aic_case.cpp, and returns it.
function(perfatlas_case_mappings result)
  get_property(folders GLOBAL PROPERTY perfatlas_ops)
  set(declarations "")
  set(calls "")
  foreach(folder IN LISTS folders)
    if(EXISTS ${CMAKE_SOURCE_DIR}/perfatlas/ops/${folder}/${folder}_aic_case.cpp)
      string(APPEND declarations "void add_${folder}_case_mappings(CaseMappings&);\n")
      string(APPEND calls "  add_${folder}_case_mappings(all);\n")
    endif()
  endforeach()
  set(file ${CMAKE_BINARY_DIR}/generated/all_case_mappings.cpp)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT
"// Generated from perfatlas/ops/CMakeLists.txt.
#include \"perfatlas/aic/case_mapping.h\"

namespace perfatlas::aic {
@declarations@
CaseMappings all_case_mappings() {
  CaseMappings all;
@calls@  return all;
}
}  // namespace perfatlas::aic
")
  set(${result} ${file} PARENT_SCOPE)
endfunction()

# Writes generated/all_kernels_<kind>.cpp and returns it with the kernel sources of that kind.
function(perfatlas_kernel_sources kind result)
  get_property(folders GLOBAL PROPERTY perfatlas_ops)
  set(sources "")
  set(declarations "")
  set(calls "")
  foreach(folder IN LISTS folders)
    get_property(enabled GLOBAL PROPERTY perfatlas_op_${folder}_${kind})
    if(enabled)
      get_property(own GLOBAL PROPERTY perfatlas_op_${folder}_${kind}_sources)
      list(APPEND sources ${own})
      string(APPEND declarations "void add_${folder}_${kind}_kernels(KernelRegistry&);\n")
      string(APPEND calls "  add_${folder}_${kind}_kernels(registry);\n")
    endif()
  endforeach()
  set(file ${CMAKE_BINARY_DIR}/generated/all_kernels_${kind}.cpp)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT
"// Generated from perfatlas/ops/CMakeLists.txt.
#include \"perfatlas/backends/kernel.h\"

namespace perfatlas {
@declarations@
void add_all_@kind@_kernels(KernelRegistry& registry) {
@calls@}
}  // namespace perfatlas
")
  set(${result} ${file} ${sources} PARENT_SCOPE)
endfunction()

# Tests of all op folders: <kind> is "declarations" or a kernel kind (<op>_cpu_test.cpp, <op>_cuda_test.cpp).
function(perfatlas_op_tests kind result)
  get_property(folders GLOBAL PROPERTY perfatlas_ops)
  set(tests "")
  foreach(folder IN LISTS folders)
    get_property(own GLOBAL PROPERTY perfatlas_op_${folder}_tests)
    list(APPEND tests ${own})
  endforeach()
  if(kind STREQUAL "declarations")
    list(JOIN PERFATLAS_KERNEL_KINDS "|" kinds)
    list(FILTER tests EXCLUDE REGEX "_(${kinds})(_[a-z0-9_]+)?_test\\.cpp$")
  else()
    list(FILTER tests INCLUDE REGEX "_${kind}(_[a-z0-9_]+)?_test\\.cpp$")
  endif()
  set(${result} ${tests} PARENT_SCOPE)
endfunction()
