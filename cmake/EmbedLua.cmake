# Puts Lua files into the program.
#
#   embed_lua(<out.c> <header> <symbol> <file.lua>...)
#
# has <out.c> made when the project is built: it defines `symbol`, an array of struct embedded_file
# as `header` declares it, ended by one whose name is NULL. The files' bytes are taken as they are.
# The same file, run as a script (cmake -P), is what makes it.

if(NOT CMAKE_SCRIPT_MODE_FILE)
    set(EMBED_LUA_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
    function(embed_lua out header symbol)
        add_custom_command(
            OUTPUT ${out}
            COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DHEADER=${header} -DSYMBOL=${symbol}
                    "-DFILES=${ARGN}" -P ${EMBED_LUA_SCRIPT}
            DEPENDS ${ARGN} ${EMBED_LUA_SCRIPT}
            COMMENT "Embedding Lua files in ${symbol}"
            VERBATIM)
    endfunction()
    return()
endif()

set(arrays "")
set(entries "")
foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME_WLE)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    # A zero behind the text, not counted in its size.
    string(APPEND arrays
        "static const unsigned char lua_${identifier}[] = {\n    ${hex}0x00};\n\n")
    string(APPEND entries
        "    {\"${name}\", (const char *)lua_${identifier}, sizeof lua_${identifier} - 1},\n")
endforeach()

file(WRITE ${OUT} "/* Made by cmake/EmbedLua.cmake from the files in lua/. */
#include \"${HEADER}\"

${arrays}const struct embedded_file ${SYMBOL}[] = {
${entries}    {NULL, NULL, 0},
};
")
