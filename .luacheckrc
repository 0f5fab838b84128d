std = "lua54"
max_line_length = 100
globals = { "checkpoint", "ckpt" }

-- A job's state is its globals.
files["examples/*.lua"] = { allow_defined_top = true }
files["examples/**/*.lua"] = { allow_defined_top = true }
files["tests/embed/job.lua"] = { allow_defined_top = true }
-- What ckpt.transient defines.
files["examples/conjgrad/cg.lua"] = { read_globals = { "A", "b" } }
-- Templates of code, and scripts that are odd on purpose.
files["tests/exact/generate.lua"] = { max_line_length = 150 }
files["tests/exact/scripts/*.lua"] = {
    ignore = { "111", "112", "113", "2..", "3..", "4..", "5.." }, max_line_length = 140,
}
files["tests/exact/later/*.lua"] = files["tests/exact/scripts/*.lua"]
