# SPDX-License-Identifier: Apache-2.0
# Small libraries become part of the executables where the system has their static twins: each shared one costs every
# start of a program a tenth of a millisecond or more. With PERFATLAS_PORTABLE all twins are needed. A Python extension
# is a shared library itself, which code that was not compiled for that cannot be part of.

# The static twin of an imported target's library, with what that needs in turn.
function(perfatlas_link_statically target library)
  if(PERFATLAS_PORTABLE)
    set(need REQUIRED)
  endif()
  find_library(${library}_STATIC lib${library}.a ${need})
  if(NOT ${library}_STATIC)
    return()
  endif()
  set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${${library}_STATIC};${ARGN}")
  get_target_property(kind ${target} TYPE)
  if(NOT kind STREQUAL "INTERFACE_LIBRARY")
    foreach(suffix "" _NONE _RELEASE _NOCONFIG _RELWITHDEBINFO _DEBUG)
      set_target_properties(${target} PROPERTIES IMPORTED_LOCATION${suffix} ${${library}_STATIC})
    endforeach()
  endif()
endfunction()

if(PERFATLAS_BUILD_PYTHON)
  return()
endif()
find_library(z_STATIC libz.a)
if(z_STATIC)
  perfatlas_link_statically(PkgConfig::minizip minizip ${z_STATIC})
endif()
add_library(perfatlas_no_udev STATIC ${CMAKE_CURRENT_LIST_DIR}/no_udev.cpp)
perfatlas_link_statically(PkgConfig::xxhash xxhash)
perfatlas_link_statically(PkgConfig::hwloc hwloc perfatlas_no_udev m Threads::Threads)
perfatlas_link_statically(yaml-cpp yaml-cpp)
perfatlas_link_statically(SQLite::SQLite3 sqlite3 m Threads::Threads ${CMAKE_DL_LIBS})
