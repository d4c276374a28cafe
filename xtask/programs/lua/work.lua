-- Closures, strings, coroutines, metatables, errors, sorting, garbage collection.

local function counter(step)
  local n = 0
  return function() n = n + step; return n end
end
local two, three = counter(2), counter(3)
for _ = 1, 5 do two(); three() end
print("closures", two(), three())

local function permutations(list, n)
  return coroutine.wrap(function()
    local function permute(k)
      if k == 0 then coroutine.yield(table.concat(list, " ")) end
      for i = 1, k do
        list[k], list[i] = list[i], list[k]
        permute(k - 1)
        list[k], list[i] = list[i], list[k]
      end
    end
    permute(n)
  end)
end
local count, last = 0, nil
for p in permutations({ "a", "b", "c", "d", "e" }, 5) do count, last = count + 1, p end
print("coroutines", count, last)

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector) end
Vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
Vector.__tostring = function(v) return ("(%g, %g)"):format(v.x, v.y) end
local v = setmetatable({ x = 1, y = 2 }, Vector)
print("metatables", tostring(v + v), v + v == setmetatable({ x = 2, y = 4 }, Vector))

print("errors", pcall(error, { code = 42 } and "thrown"))
print(select(2, pcall(function() local t = nil; return t.x end)))
print(select(2, xpcall(function() error("deep", 2) end, function(m) return "handled " .. m end)))
print(pcall(string.rep, "x", -1))

local text = ("the quick brown fox jumps over the lazy dog "):rep(200)
local words = {}
for word in text:gmatch("%a+") do words[word] = (words[word] or 0) + 1 end
local sorted = {}
for word, n in pairs(words) do sorted[#sorted + 1] = word .. "=" .. n end
table.sort(sorted, function(a, b) return a > b end)
print("strings", table.concat(sorted, ","), #text:gsub("o", "00"), text:find("lazy", 1, true))
print(string.pack("<i4d", 7, 0.5):byte(1, -1))

local sieve, primes = {}, 0
for i = 2, 200000 do
  if not sieve[i] then
    primes = primes + 1
    for j = i * i, 200000, i do sieve[j] = true end
  end
end
print("primes", primes)

local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print("fib", fib(25), 7 // 2, 7 % -3, 2 ^ 0.5, 1 << 40, math.type(3), 10 / 2)

local garbage = setmetatable({}, { __mode = "k" })
for i = 1, 10000 do garbage[{}] = i end
collectgarbage()
print("garbage", next(garbage) == nil, load("return ...", "chunk", "t")(5))
goto done
print("not here")
::done::
print(utf8.char(72, 228, 8364), utf8.len("häßlich"))
