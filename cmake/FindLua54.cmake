# Stock Lua 5.4.4 or a later 5.4, under whichever name this system has it in pkg-config.
# Sets LUA_NAME (that name) and what pkg_check_modules(LUA ...) sets.

find_package(PkgConfig REQUIRED)

set(found "")
foreach(name lua5.4 lua-5.4 lua54 lua)
    pkg_check_modules(LUA_FOUND_${name} QUIET ${name})
    if(LUA_FOUND_${name}_FOUND)
        set(lua_version ${LUA_FOUND_${name}_VERSION})
        if(lua_version VERSION_GREATER_EQUAL 5.4.4 AND lua_version VERSION_LESS 5.5)
            set(LUA_NAME ${name})
            break()
        endif()
        list(APPEND found "${lua_version} (${name}.pc)")
    endif()
endforeach()

if(NOT LUA_NAME)
    list(JOIN found ", " found)
    if(found STREQUAL "")
        set(found "none")
    endif()
    message(FATAL_ERROR
        "ckptlua needs Lua 5.4.4 or a later 5.4, with its headers; pkg-config finds: ${found}. "
        "On Debian: apt-get install liblua5.4-dev. "
        "A Lua elsewhere: set PKG_CONFIG_PATH to the folder of its lua5.4.pc.")
endif()
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET ${LUA_NAME})
message(STATUS "Lua ${LUA_VERSION} (${LUA_NAME}.pc)")
