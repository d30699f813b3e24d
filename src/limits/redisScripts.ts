// The rules of slidingWindow.ts, in Lua. A bucket is a hash, which Redis keeps as one block of memory:
//   h       the head, packed: all that most calls read and write. It has the newest cell and, for it, the newest entry of
//           the ledger; see the slots below.
//   <cell>  an older cell: its units and the number of the cell after it, so that the oldest leave one by one.
//   l       where not empty, the older entries of the ledger: (slice, cell, units), oldest first.
// The oldest cell is never empty, and a bucket without units is no key. The clock is that of Redis, so the clocks of our
// processes do not matter.
//
// A script is built anew for each call: what is seldom needed is inside one function, so that it is not built, and slots
// are numbered, since names would have to be found. Together that is half of the time.

/** How the scripts tell the time: `now`, in whole milliseconds. Tests have a clock of their own. */
export const redisClock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

const slots = ['used', 'oldest', 'newest', 'units', 'openSlice', 'open', 'ledgerSlice'].concat(
  ['key', 'cellMs', 'span', 'current', 'asked', 'isChanged'], // These are not stored.
);

/** Lua in which \`b.used\` is a slot of the bucket b. */
function lua(text: string): string {
  return text.replace(/\bb\.([a-zA-Z]+)/g, (_, name: string) => `b[${slots.indexOf(name) + 1}]`);
}

const rules = `
local call, read, pack = redis.call, struct.unpack, struct.pack
local slice = math.floor(now / 10000)

local function createTools()
  local tools = {}

  local function readCell(b, cell)
    return read('<dd', call('HGET', b.key, cell))
  end

  local function empty(b)
    call('DEL', b.key)
    b.used, b.oldest, b.newest, b.units, b.openSlice, b.open, b.ledgerSlice = 0, -1, -1, 0, slice, 0, 0
    b.isChanged = false
  end

  local function leavesIn(b, cell)
    return (cell + 1 + b.span) * b.cellMs - now
  end

  local function dropOldest(b, units, following)
    call('HDEL', b.key, b.oldest)
    b.used, b.oldest, b.isChanged = b.used - units, following, true
  end

  -- The oldest cell may have lost its last unit.
  local function settleOldest(b)
    if b.used == 0 then
      return empty(b)
    end
    while b.oldest ~= b.newest do
      local units, following = readCell(b, b.oldest)
      if units > 0 then
        return
      end
      dropOldest(b, 0, following)
    end
  end

  local function takeOut(b, cell, units)
    if cell == b.newest then
      b.units = b.units - units
    else
      local counted, following = readCell(b, cell)
      call('HSET', b.key, cell, pack('<dd', counted - units, following))
    end
    b.used, b.isChanged = b.used - units, true
  end

  local function readLedger(b)
    local entries = {}
    if b.ledgerSlice > 0 then
      local packed = call('HGET', b.key, 'l')
      for at = 1, #packed, 24 do
        entries[#entries + 1] = {read('<ddd', packed, at)}
      end
    end
    return entries
  end

  local function writeLedger(b, entries)
    local packed = {}
    for i, entry in ipairs(entries) do
      packed[i] = pack('<ddd', entry[1], entry[2], entry[3])
    end
    b.ledgerSlice, b.isChanged = entries[1] and entries[1][1] or 0, true
    if entries[1] then
      call('HSET', b.key, 'l', table.concat(packed))
    else
      call('HDEL', b.key, 'l')
    end
  end

  local function allCells(b)
    local cells, cell = {}, b.oldest
    while cell ~= b.newest do
      local units, following = readCell(b, cell)
      cells[cell], cell = units, following
    end
    cells[cell] = b.units
    return cells
  end

  local function allEntries(b)
    local entries = readLedger(b)
    if b.open > 0 then
      entries[#entries + 1] = {b.openSlice, b.newest, b.open}
    end
    return entries
  end

  -- Writes all of a bucket anew, but for its head: its cells by number, and its ledger in order.
  local function rewrite(b, cells, entries)
    local order, fields = {}, {'h', ''}
    empty(b)
    for cell, units in pairs(cells) do
      if units > 0 then
        order[#order + 1], b.used = cell, b.used + units
      end
    end
    table.sort(order)
    for i = 1, #order - 1 do
      fields[2 * i + 1], fields[2 * i + 2] = order[i], pack('<dd', cells[order[i]], order[i + 1])
    end
    b.oldest, b.newest, b.units, b.isChanged = order[1], order[#order], cells[order[#order]], true
    local last = entries[#entries]
    if last and last[2] == b.newest then
      b.openSlice, b.open, entries[#entries] = last[1], last[3], nil
    end
    call('HSET', b.key, unpack(fields))
    if entries[1] then
      writeLedger(b, entries)
    end
    call('PEXPIRE', b.key, leavesIn(b, b.newest))
  end

  -- The clock was set back: what was in the future is now.
  function tools.moveToNow(b)
    local cells, entries = {}, {}
    for cell, units in pairs(allCells(b)) do
      local moved = math.min(cell, b.current)
      cells[moved] = (cells[moved] or 0) + units
    end
    for _, entry in ipairs(allEntries(b)) do
      local last, movedSlice, moved = entries[#entries], math.min(entry[1], slice), math.min(entry[2], b.current)
      if last and last[1] == movedSlice and last[2] == moved then
        last[3] = last[3] + entry[3]
      else
        entries[#entries + 1] = {movedSlice, moved, entry[3]}
      end
    end
    rewrite(b, cells, entries)
  end

  function tools.dropLeft(b)
    if b.newest + b.span < b.current then
      return empty(b)
    end
    while b.oldest + b.span < b.current do
      dropOldest(b, readCell(b, b.oldest))
    end
    local entries, kept = readLedger(b), {}
    for _, entry in ipairs(entries) do
      if entry[2] + b.span >= b.current then
        kept[#kept + 1] = entry
      end
    end
    if #kept < #entries then
      writeLedger(b, kept)
    end
    settleOldest(b)
  end

  function tools.giveBackDead(b)
    local kept = {}
    for _, entry in ipairs(allEntries(b)) do
      if entry[1] + 3 > slice then
        kept[#kept + 1] = entry
      else
        takeOut(b, entry[2], entry[3])
      end
    end
    if b.open > 0 then
      if b.openSlice + 3 > slice then
        kept[#kept] = nil
      else
        b.open = 0
      end
    end
    writeLedger(b, kept)
    settleOldest(b)
  end

  -- Makes room in the head for another entry.
  function tools.moveEntry(b)
    writeLedger(b, allEntries(b))
    b.open = 0
  end

  function tools.msUntilLeft(b, excess)
    local cell = b.oldest
    while cell ~= b.newest do
      local units, following = readCell(b, cell)
      excess = excess - units
      if excess <= 0 then
        break
      end
      cell = following
    end
    return leavesIn(b, cell)
  end

  -- Takes units out of the ledger; answers how many were in it.
  local function strike(b, fromSlice, cell, units)
    if cell == b.newest and fromSlice == b.openSlice then
      local struck = math.min(b.open, units)
      b.open, b.isChanged = b.open - struck, true
      return struck
    end
    local kept, struck = {}, 0
    for _, entry in ipairs(readLedger(b)) do
      if entry[1] == fromSlice and entry[2] == cell then
        struck = math.min(entry[3], units)
        entry[3] = entry[3] - struck
      end
      if entry[3] > 0 then
        kept[#kept + 1] = entry
      end
    end
    if struck > 0 then
      writeLedger(b, kept)
    end
    return struck
  end

  local function putIn(b, cell, units)
    if cell == b.newest then
      b.used, b.units, b.isChanged = b.used + units, b.units + units, true
      return
    end
    local cells = b.used > 0 and allCells(b) or {}
    cells[cell] = (cells[cell] or 0) + units
    rewrite(b, cells, allEntries(b))
  end

  function tools.settle(b, fromSlice, cell, reserved, used)
    if cell + b.span < b.current then
      return
    end
    local struck = b.used > 0 and strike(b, fromSlice, cell, reserved) or 0
    if used > struck then
      putIn(b, cell, used - struck)
    elseif used < struck then
      takeOut(b, cell, struck - used)
      settleOldest(b)
    end
  end

  return tools
end

local tools
local function rare(name)
  tools = tools or createTools()
  return tools[name]
end

local function open(key, windowMs)
  local cellMs = math.ceil(windowMs / 60)
  local span, current, head = math.ceil(windowMs / cellMs), math.floor(now / cellMs), call('HGET', key, 'h')
  if not head then
    return {0, -1, -1, 0, slice, 0, 0, key, cellMs, span, current, 0, false}
  end
  local used, oldest, newest, units, openSlice, noted, ledgerSlice = read('<ddddddd', head)
  local b = {used, oldest, newest, units, openSlice, noted, ledgerSlice, key, cellMs, span, current, 0, false}
  if newest > current or openSlice > slice then
    rare('moveToNow')(b)
  end
  if b.oldest + span < current then
    rare('dropLeft')(b)
  end
  if b.open > 0 and b.openSlice + 3 <= slice or b.ledgerSlice > 0 and b.ledgerSlice + 3 <= slice then
    rare('giveBackDead')(b)
  end
  return b
end

local function save(b)
  call('HSET', b.key, 'h', pack('<ddddddd', b.used, b.oldest, b.newest, b.units, b.openSlice, b.open, b.ledgerSlice))
  b.isChanged = false
end
`;

/**
 * KEYS: the bucket of each demand. ARGV: max, units and window of each; the units of a shadow demand are below 0.
 * Answers the milliseconds to wait, or -1 where allowed; the time; what remains of each and how long it stays so; and
 * then the places, from 0, of those that do not fit.
 */
export const reserveRules = lua(`${rules}
local function count(b, units, unsettled)
  local newest, current = b.newest, b.current
  if b.open > 0 and (newest ~= current or b.openSlice ~= slice) then
    rare('moveEntry')(b)
  end
  if newest ~= current then
    if newest < 0 then
      b.oldest = current
    else
      call('HSET', b.key, newest, pack('<dd', b.units, current))
    end
    b.newest, b.units = current, 0
  end
  b.used, b.units, b.openSlice, b.open = b.used + units, b.units + units, slice, b.open + unsettled
  save(b)
  if newest ~= current then
    call('PEXPIRE', b.key, (current + 1 + b.span) * b.cellMs - now)
  end
end

local buckets, exceeded, isRefused, demands = {}, {}, false, #KEYS
for i = 1, demands do
  local key, units, b = KEYS[i], ARGV[3 * i - 1] + 0
  for j = 1, i - 1 do
    if KEYS[j] == key then
      b = buckets[j]
    end
  end
  if not b then
    b = open(key, ARGV[3 * i])
  end
  buckets[i] = b
  if units < 0 then
    b.asked = b.asked - units
  else
    b.asked = b.asked + units
  end
  if units ~= 0 and b.used + b.asked > ARGV[3 * i - 2] + 0 then
    exceeded[#exceeded + 1] = i - 1
    isRefused = isRefused or units > 0
  end
end

if isRefused then
  for i = 1, demands do
    local b = buckets[i]
    b.asked = 0
  end
  for i = 1, demands do
    local b, units = buckets[i], ARGV[3 * i - 1] + 0
    if units < 0 then
      b.asked = b.asked - units
    end
  end
end
for i = 1, demands do
  local b = buckets[i]
  if b.asked > 0 then
    count(b, b.asked, isRefused and 0 or b.asked) -- Nobody settles what was refused.
    b.asked = 0
  elseif b.isChanged then
    save(b)
  end
end

local wait = -1
if isRefused then
  wait = 0
  for i = 1, demands do
    local b, max, units = buckets[i], ARGV[3 * i - 2] + 0, ARGV[3 * i - 1] + 0
    b.asked = b.asked + math.abs(units)
    if units > 0 and b.asked > max then
      wait = math.max(wait, ARGV[3 * i] + 0)
    elseif units > 0 and b.used + b.asked > max then
      wait = math.max(wait, rare('msUntilLeft')(b, b.used + b.asked - max))
    end
  end
end

local reply = {wait, now}
for i = 1, demands do
  local b = buckets[i]
  local remains, stays = ARGV[3 * i - 2] - b.used, 0
  if remains < 0 then
    remains, stays = 0, rare('msUntilLeft')(b, math.min(1 - remains, b.used))
  elseif b.used > 0 then
    stays = (b.oldest + 1 + b.span) * b.cellMs - now
  end
  reply[2 * i + 1], reply[2 * i + 2] = remains, stays
end
for i = 1, #exceeded do
  reply[2 * demands + 2 + i] = exceeded[i]
end
return reply
`);

/**
 * KEYS: the bucket of each settlement. ARGV: its window, the slice and the cell of the reservation, the units that were
 * reserved and those that were used.
 */
export const settleRules = lua(`${rules}
local buckets = {}
for i = 1, #KEYS do
  local key, at = KEYS[i], 5 * i - 4
  local b = buckets[key] or open(key, ARGV[at])
  buckets[key] = b
  local fromSlice, cell = math.min(ARGV[at + 1], slice), math.min(ARGV[at + 2], b.current)
  rare('settle')(b, fromSlice, cell, ARGV[at + 3] + 0, ARGV[at + 4] + 0)
end
for _, b in pairs(buckets) do
  if b.isChanged then
    save(b)
  end
end
`);
