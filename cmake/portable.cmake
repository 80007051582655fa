# SPDX-License-Identifier: Apache-2.0
# PERFATLAS_PORTABLE: executables that start on any x86-64 Linux whose glibc is at least the build machine's, with
# nothing installed there: everything else is linked statically (fmt, which Debian ships as a shared library
# only, from its headers).
add_link_options(-static-libstdc++ -static-libgcc -Wl,--as-needed)

target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)

# The static twin of an imported target's library, with what that needs in turn.
function(perfatlas_link_statically target library)
  find_library(${library}_STATIC lib${library}.a REQUIRED)
  set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${${library}_STATIC};${ARGN}")
  get_target_property(kind ${target} TYPE)
  if(NOT kind STREQUAL "INTERFACE_LIBRARY")
    foreach(suffix "" _NONE _RELEASE _NOCONFIG _RELWITHDEBINFO _DEBUG)
      set_target_properties(${target} PROPERTIES IMPORTED_LOCATION${suffix} ${${library}_STATIC})
    endforeach()
  endif()
endfunction()
perfatlas_link_statically(PkgConfig::xxhash xxhash)
find_library(zlib_STATIC libz.a REQUIRED)
perfatlas_link_statically(PkgConfig::minizip minizip ${zlib_STATIC})
add_library(perfatlas_no_udev STATIC ${CMAKE_CURRENT_LIST_DIR}/no_udev.cpp)
perfatlas_link_statically(PkgConfig::hwloc hwloc perfatlas_no_udev m Threads::Threads)
perfatlas_link_statically(yaml-cpp yaml-cpp)
perfatlas_link_statically(SQLite::SQLite3 sqlite3 m Threads::Threads ${CMAKE_DL_LIBS})
