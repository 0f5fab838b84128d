-- Objects: methods found through a metatable, one class that inherits from another, operators.

local rounds = tonumber(arg and arg[1]) or 9000000

local Account = {}
Account.__index = Account

function Account.new(balance)
  return setmetatable({ balance = balance }, Account)
end

function Account:deposit(amount)
  self.balance = self.balance + amount
end

function Account:get()
  return self.balance
end

Account.__add = function(a, b)
  return Account.new(a.balance + b.balance)
end

local Limited = setmetatable({}, { __index = Account })
Limited.__index = Limited
Limited.__add = Account.__add

function Limited.new(balance, limit)
  return setmetatable({ balance = balance, limit = limit }, Limited)
end

function Limited:withdraw(amount)
  if self:get() - amount >= -self.limit then
    self:deposit(-amount)
    return true
  end
  return false
end

local plain, limited, refused = Account.new(0), Limited.new(100, 50), 0
for i = 1, rounds do
  plain:deposit(i % 7)
  if not limited:withdraw(i % 5) then
    refused = refused + 1
    limited:deposit(60)
  end
  if i % 10 == 0 then
    plain = plain + limited
    plain.balance = plain.balance % 1000003
  end
end
print(plain:get(), limited:get(), refused)
