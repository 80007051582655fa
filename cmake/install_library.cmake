# SPDX-License-Identifier: Apache-2.0
# perfatlas_install_library(<layer>...): these layers and all that they stand on, as install component "library",
# for find_package(perfatlas):
#   target_link_libraries(mine PRIVATE perfatlas::<layer>)
include(CMakePackageConfigHelpers)

function(perfatlas_install_library)
  set(todo ${ARGN})
  set(layers "")
  while(todo)
    list(POP_FRONT todo layer)
    if(NOT layer IN_LIST layers)
      list(APPEND layers ${layer})
      perfatlas_layer_dependencies(${layer} below)
      list(APPEND todo ${below})
    endif()
  endwhile()
  set(targets "")
  foreach(layer IN LISTS layers)
    set_target_properties(perfatlas_${layer} PROPERTIES EXPORT_NAME ${layer})
    list(APPEND targets perfatlas_${layer})
  endforeach()
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/perfatlas)
  install(TARGETS ${targets} EXPORT perfatlas-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          COMPONENT library)
  install(EXPORT perfatlas-targets NAMESPACE perfatlas:: DESTINATION ${package} COMPONENT library)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/perfatlas DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
    FILES_MATCHING PATTERN "*.h" PATTERN "*_impl.h" EXCLUDE PATTERN "*_test.h" EXCLUDE
    PATTERN "backends" EXCLUDE PATTERN "cli" EXCLUDE PATTERN "worker" EXCLUDE PATTERN "collect" EXCLUDE)
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/perfatlas-config.cmake.in
    ${CMAKE_BINARY_DIR}/perfatlas-config.cmake INSTALL_DESTINATION ${package})
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/perfatlas-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/perfatlas-config.cmake ${CMAKE_BINARY_DIR}/perfatlas-config-version.cmake
          DESTINATION ${package} COMPONENT library)
endfunction()
