# What `cmake --install` puts where, and how others find it: pkg-config and find_package(ckptlua).

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ckptlua)

set_target_properties(ckptlua_shared PROPERTIES EXPORT_NAME ckptlua)
set_target_properties(ckptlua_static PROPERTIES EXPORT_NAME ckptlua_static)
install(TARGETS ckptlua_shared ckptlua_static EXPORT ckptlua)
install(TARGETS ckptlua_program)
install(TARGETS num LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ckptlua)
install(FILES host/include/ckptlua.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES docs/ckptlua.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# Found from the file's own place, so that the prefix may be chosen when installing.
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
configure_file(cmake/ckptlua.pc.in ckptlua.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ckptlua.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(EXPORT ckptlua NAMESPACE ckptlua:: FILE ckptluaTargets.cmake DESTINATION ${package_dir})
configure_package_config_file(cmake/ckptluaConfig.cmake.in ckptluaConfig.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(ckptluaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/ckptluaConfig.cmake
    ${PROJECT_BINARY_DIR}/ckptluaConfigVersion.cmake
    DESTINATION ${package_dir})
