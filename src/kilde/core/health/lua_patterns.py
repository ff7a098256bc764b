"""String patterns of Lua in Lua: where the interpreter's own matcher could run long, each step is one that the sandbox counts.

The interpreter matches in C, where no hook looks: `('a'):rep(300):find('.-.-.-.-b')` takes minutes there, and a hundred thousand optional
items its stack. What is surely cheap is left to it. The rules are those of the reference manual (5.1, §5.4.1), and in replacements, where
5.2 (§6.4.1) is stricter, those of the interpreter that runs.
"""

CHEAP = 1e7  # steps of the interpreter's matcher that nobody counts: some tens of milliseconds

# Run once a script, with MATCHER and CHEAP: what stands before the functions of `string`.
GUARDS = r"""
local matcher, CHEAP = ...
local find, match, gmatch, gsub, byte = string.find, string.match, string.gmatch, string.gsub, string.byte
local type, tostring, floor, load = type, tostring, math.floor, loadstring or load

local function ours()
  if type(matcher) == "string" then matcher = load(matcher, "=patterns")(find, gsub) end
  return matcher
end

-- Whether a match of `count` characters can take more steps than are left to C.
local function is_dear(count, pattern)
  local _, repeats = gsub(pattern, "[*+?-]", "")
  local _, balances = gsub(pattern, "%%b", "")
  if find(pattern, "[*+?-]%)*$") then repeats = repeats - 1 end  -- nothing behind it can send it back
  local starts = byte(pattern, 1) == 94 and 0 or 1
  return (#pattern + 1) * (count + 1) ^ (repeats + balances + starts) > CHEAP
end

local function is_text(value) return type(value) == "string" or type(value) == "number" end

-- Where a search begins, as a place; nil where it is none that needs thought.
local function start(subject, init)
  if init == nil then return 1 end
  if type(init) ~= "number" then return nil end
  if init < 0 then init = #subject + init + 1 end
  init = init < 1 and 1 or floor(init)
  return init <= #subject + 1 and init or nil
end

function string.find(subject, pattern, init, plain)
  if is_text(subject) and is_text(pattern) then
    local text, sought = tostring(subject), tostring(pattern)
    local at = start(text, init)
    if at and (plain or not find(sought, "[%^$*+?.(%[%%-]")) then
      if #text * #sought > 10 * CHEAP then return ours().plainly(text, sought, at) end
    elseif at and is_dear(#text - at + 1, sought) then
      return ours().find(text, sought, at)
    end
  end
  return find(subject, pattern, init, plain)
end

function string.match(subject, pattern, init)
  if is_text(subject) and is_text(pattern) then
    local text, sought = tostring(subject), tostring(pattern)
    local at = start(text, init)
    if at and is_dear(#text - at + 1, sought) then return ours().match(text, sought, at) end
  end
  return match(subject, pattern, init)
end

function string.gmatch(subject, pattern)
  if is_text(subject) and is_text(pattern) and is_dear(#tostring(subject), tostring(pattern)) then
    return ours().gmatch(tostring(subject), tostring(pattern))
  end
  return gmatch(subject, pattern)
end

function string.gsub(subject, pattern, by, most)
  local usable = is_text(by) or type(by) == "table" or type(by) == "function"
  if is_text(subject) and is_text(pattern) and usable and (most == nil or type(most) == "number")
    and is_dear(#tostring(subject), tostring(pattern)) then
    return ours().gsub(tostring(subject), tostring(pattern), by, most)
  end
  return gsub(subject, pattern, by, most)
end
"""

# The matcher; read when a guard first needs it.
MATCHER = r"""
local find, gsub = ...  -- the interpreter's own
local byte, sub, concat, unpack = string.byte, string.sub, table.concat, unpack or table.unpack
local type, error, tostring = type, error, tostring
local OPEN, POSITION = -1, -2  -- lengths of captures that are not closed, or are a place
local strict = not pcall(gsub, "a", "a", "%a")  -- 5.2

-- The place behind the item at `at`: a character, a class or a set.
local function behind(pattern, at)
  local first = byte(pattern, at)
  if first == 37 then  -- %
    if at == #pattern then error("malformed pattern (ends with '%')", 0) end
    return at + 2
  elseif first ~= 91 then  -- [
    return at + 1
  end
  at = at + 1
  if byte(pattern, at) == 94 then at = at + 1 end  -- ^
  repeat  -- a ] that comes first is one of the set
    if at > #pattern then error("malformed pattern (missing ']')", 0) end
    at = at + (byte(pattern, at) == 37 and at < #pattern and 2 or 1)
  until byte(pattern, at) == 93
  return at + 1
end

-- Whether one character is of an item; the interpreter says so, of one character.
local function is_of(state, letter, item)
  if #item == 1 then return item == "." or letter == item end
  local known = state.known[item]
  if not known then
    known = {}
    state.known[item] = known
  end
  if known[letter] == nil then known[letter] = find(letter, "^" .. item) ~= nil end
  return known[letter]
end

-- An item as a pattern of its own.
local function spelt(item)
  return #item == 1 and item ~= "." and find(item, "%p") and "%" .. item or item
end

-- The next place from `at` on where a match can begin, told by its first item; the end, where there is none.
local function candidate(subject, pattern, at)
  local first, second = byte(pattern, 1, 2)
  if not first or first == 40 or first == 41 or first == 46 or first == 36 and #pattern == 1 then return at end  -- ( ) . $
  if first == 37 and (not second or find(pattern, "^%%[bf%d]")) then return at end
  local over = behind(pattern, 1)
  if find(pattern, "^[?*-]", over) then return at end
  return find(subject, spelt(sub(pattern, 1, over - 1)), at) or #subject + 1
end

local function fits(state, at, item)
  return at <= #state.subject and is_of(state, sub(state.subject, at, at), item)
end

local walk

local function captured(state, at, next, length)
  local level = state.level + 1
  if level > 32 then error("too many captures", 0) end
  state.level, state.from[level], state.length[level] = level, at, length
  local found = walk(state, at, next)
  if not found then state.level = level - 1 end
  return found
end

local function closed(state, at, next)
  local level = state.level
  while level > 0 and state.length[level] ~= OPEN do level = level - 1 end
  if level == 0 then error("invalid pattern capture", 0) end
  state.length[level] = at - state.from[level]
  local found = walk(state, at, next)
  if not found then state.length[level] = OPEN end
  return found
end

local function balanced(state, at, next)
  local opens, closes = byte(state.pattern, next, next + 1)
  if not closes then error("unbalanced pattern", 0) end
  if byte(state.subject, at) ~= opens then return nil end
  local depth = 1
  for place = at + 1, #state.subject do
    local letter = byte(state.subject, place)
    if letter == closes then
      depth = depth - 1
      if depth == 0 then return place + 1 end
    elseif letter == opens then
      depth = depth + 1
    end
  end
  return nil
end

local function repeated(state, at, level)
  if level < 1 or level > state.level or state.length[level] == OPEN then error("invalid capture index", 0) end
  local length = state.length[level]
  if length < 0 then return nil end
  local text = sub(state.subject, state.from[level], state.from[level] + length - 1)
  return sub(state.subject, at, at + length - 1) == text and at + length or nil
end

-- The place behind a match that begins at `at` with what the pattern has from `next` on; nil where there is none.
function walk(state, at, next)
  local pattern, subject = state.pattern, state.subject
  while next <= #pattern do
    local first, second = byte(pattern, next, next + 1)
    if first == 40 then  -- (
      if second == 41 then return captured(state, at, next + 2, POSITION) end
      return captured(state, at, next + 1, OPEN)
    elseif first == 41 then
      return closed(state, at, next + 1)
    elseif first == 36 and next == #pattern then  -- $
      return at == #subject + 1 and at or nil
    elseif first == 37 and second == 98 then  -- %b
      at = balanced(state, at, next + 2)
      if not at then return nil end
      next = next + 4
    elseif first == 37 and second == 102 then  -- %f
      if byte(pattern, next + 2) ~= 91 then error("missing '[' after '%f' in pattern", 0) end
      local over = behind(pattern, next + 2)
      local set = sub(pattern, next + 2, over - 1)
      local before = at > 1 and sub(subject, at - 1, at - 1) or "\0"
      local here = at <= #subject and sub(subject, at, at) or "\0"
      if is_of(state, before, set) or not is_of(state, here, set) then return nil end
      next = over
    elseif first == 37 and second and second >= 48 and second <= 57 then
      at = repeated(state, at, second - 48)
      if not at then return nil end
      next = next + 2
    else
      local over = behind(pattern, next)
      local item, kind = sub(pattern, next, over - 1), byte(pattern, over)
      if kind == 63 then  -- ?
        if fits(state, at, item) then
          local found = walk(state, at + 1, over + 1)
          if found then return found end
        end
        next = over + 1
      elseif kind == 42 or kind == 43 then  -- * +
        local _, last = find(subject, "^" .. spelt(item) .. "*", at)
        last = last + 1
        for place = last, kind == 43 and at + 1 or at, -1 do
          local found = walk(state, place, over + 1)
          if found then return found end
        end
        return nil
      elseif kind == 45 then  -- -
        while true do
          local found = walk(state, at, over + 1)
          if found then return found end
          if not fits(state, at, item) then return nil end
          at = at + 1
        end
      else
        if not fits(state, at, item) then return nil end
        at, next = at + 1, over
      end
    end
  end
  return at
end

local function begun(subject, pattern)
  return {subject = subject, pattern = pattern, known = {}, level = 0, from = {}, length = {}}
end

local function capture(state, level)
  local length = state.length[level]
  if length == OPEN then error("unfinished capture", 0) end
  if length == POSITION then return state.from[level] end
  return sub(state.subject, state.from[level], state.from[level] + length - 1)
end

-- All captures; where there are none and a match is given, that.
local function captures(state, from, behind_it)
  if state.level == 0 then
    if from then return sub(state.subject, from, behind_it - 1) end
    return
  end
  local found = {}
  for level = 1, state.level do found[level] = capture(state, level) end
  return unpack(found, 1, state.level)
end

-- The first match from `at` on: the state, where it begins, and the place behind it.
local function first(subject, pattern, at)
  local state, anchored = begun(subject, pattern), byte(pattern, 1) == 94
  repeat
    at = anchored and at or candidate(subject, pattern, at)
    state.level = 0
    local over = walk(state, at, anchored and 2 or 1)
    if over then return state, at, over end
    at = at + 1
  until anchored or at > #subject + 1
  return nil
end

local function plainly(subject, text, at)
  for place = at, #subject - #text + 1 do
    if sub(subject, place, place + #text - 1) == text then return place, place + #text - 1 end
  end
  return nil
end

local function each(text, sought)
  local state, at = begun(text, sought), 1
  return function()
    while at <= #text + 1 do
      at = candidate(text, sought, at)
      state.level = 0
      local from, over = at, walk(state, at, 1)  -- a ^ is a character here
      at = over and over > from and over or from + 1
      if over then return captures(state, from, over) end
    end
    return nil
  end
end

-- What a match is replaced by when that is a text with %0 to %9.
local function filled(state, from, over, text)
  return (gsub(text, "%%(.?)", function(letter)
    if letter == "0" then return sub(state.subject, from, over - 1) end
    if letter == "1" and state.level == 0 then return sub(state.subject, from, over - 1) end
    if find(letter, "^%d") then
      local level = byte(letter) - 48
      if level > state.level then error("invalid capture index", 0) end
      return tostring(capture(state, level))
    end
    if strict and letter ~= "%" then error("invalid use of '%' in replacement string", 0) end
    return letter
  end))
end

local function replaced(text, sought, by, most)
  local state, anchored = begun(text, sought), byte(sought, 1) == 94
  local kind, out, at, count = type(by), {}, 1, 0
  most = most or #text + 1
  while count < most do
    local next = anchored and at or candidate(text, sought, at)
    if next > at then
      out[#out + 1] = sub(text, at, next - 1)
      at = next
    end
    state.level = 0
    local over = walk(state, at, anchored and 2 or 1)
    if over then
      count = count + 1
      local value
      if kind == "string" or kind == "number" then
        value = filled(state, at, over, tostring(by))
      elseif kind == "table" then
        value = by[state.level > 0 and capture(state, 1) or sub(text, at, over - 1)]
      else
        value = by(captures(state, at, over))
      end
      if not value then
        value = sub(text, at, over - 1)
      elseif type(value) ~= "string" and type(value) ~= "number" then
        error("invalid replacement value (a " .. type(value) .. ")", 0)
      end
      out[#out + 1] = value
    end
    if over and over > at then
      at = over
    elseif at <= #text then
      out[#out + 1] = sub(text, at, at)
      at = at + 1
    else
      break
    end
    if anchored then break end
  end
  out[#out + 1] = sub(text, at)
  return concat(out), count
end

return {
  find = function(subject, pattern, at)
    local state, from, over = first(subject, pattern, at)
    if not state then return nil end
    return from, over - 1, captures(state)
  end,
  match = function(subject, pattern, at)
    local state, from, over = first(subject, pattern, at)
    if not state then return nil end
    return captures(state, from, over)
  end,
  plainly = plainly, gmatch = each, gsub = replaced,
}
"""
