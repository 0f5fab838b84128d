-- Functions with many registers wait for others, far up on the stack.
local function wide(n)
  coroutine.yield(n)
  local v0_0, v0_1, v0_2, v0_3, v0_4, v0_5, v0_6, v0_7, v0_8, v0_9, v0_10, v0_11, v0_12, v0_13,
    v0_14, v0_15, v0_16, v0_17, v0_18, v0_19, v0_20, v0_21, v0_22, v0_23, v0_24, v0_25, v0_26,
    v0_27, v0_28, v0_29, v0_30, v0_31, v0_32, v0_33, v0_34, v0_35, v0_36, v0_37, v0_38, v0_39,
    v0_40, v0_41, v0_42, v0_43, v0_44, v0_45, v0_46, v0_47, v0_48, last0 = n
  local v1_0, v1_1, v1_2, v1_3, v1_4, v1_5, v1_6, v1_7, v1_8, v1_9, v1_10, v1_11, v1_12, v1_13,
    v1_14, v1_15, v1_16, v1_17, v1_18, v1_19, v1_20, v1_21, v1_22, v1_23, v1_24, v1_25, v1_26,
    v1_27, v1_28, v1_29, v1_30, v1_31, v1_32, v1_33, v1_34, v1_35, v1_36, v1_37, v1_38, v1_39,
    v1_40, v1_41, v1_42, v1_43, v1_44, v1_45, v1_46, v1_47, v1_48, last1 = n
  local v2_0, v2_1, v2_2, v2_3, v2_4, v2_5, v2_6, v2_7, v2_8, v2_9, v2_10, v2_11, v2_12, v2_13,
    v2_14, v2_15, v2_16, v2_17, v2_18, v2_19, v2_20, v2_21, v2_22, v2_23, v2_24, v2_25, v2_26,
    v2_27, v2_28, v2_29, v2_30, v2_31, v2_32, v2_33, v2_34, v2_35, v2_36, v2_37, v2_38, v2_39,
    v2_40, v2_41, v2_42, v2_43, v2_44, v2_45, v2_46, v2_47, v2_48, last2 = n
  last0, last1, last2 = v0_0, last0, last1
  return last2, v2_0
end

local function deep(n)
  if n == 0 then return wide(7) end
  local a, b = deep(n - 1)
  return a, b
end

for _, depth in ipairs {0, 3, 5000} do
  local co = coroutine.wrap(deep)
  print(co(depth))
  for i = 1, 20 do depth = depth + i end
  print(co())
end
