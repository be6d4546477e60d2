-- Shared by the scripts that change a session. Applies a change exactly as `conversation::session::apply` does; a
-- property test holds the two together.
--
-- A change lies in ARGV from `from` on: when it occurred, the next state for each current one as digits ('-': it says
-- nothing), what the presence of agents has to do with it, then triples: 'L' field value (the latest decides), 'E' field
-- ms (the earliest decides), 'M' field value (a member, the latest decides).

local WITH_AGENT = 3
local WRAPPING_UP = 4
local MUST_BE_GONE = '1'
local END_WRAP_UP = '2'

-- Lua's own conversion writes large numbers with an exponent.
local function digits(number)
  return string.format('%.0f', number)
end

local function store_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Reads what the change needs to know.
local function read_session(key, from)
  local names = {'epoch', 'seq', 'active', 'state', 'state@'}
  for i = from + 3, #ARGV, 3 do
    names[#names + 1] = ARGV[i] == 'L' and ARGV[i + 1] .. '@' or ARGV[i + 1]
  end
  local values = redis.call('HMGET', key, unpack(names))
  local have = {}
  for i, name in ipairs(names) do
    have[name] = values[i] or nil
  end
  return have
end

local function is_present_agent(name, value)
  return string.sub(name, 1, 8) == 'm:agent:' and string.find(value, '^%-?%d+:1:') ~= nil
end

-- `have` holds what the change has just set, and overrides what is stored.
local function agent_present(key, have)
  local stored = redis.call('HGETALL', key)
  for i = 1, #stored, 2 do
    if is_present_agent(stored[i], have[stored[i]] or stored[i + 1]) then return true end
  end
  for name, value in pairs(have) do
    if is_present_agent(name, value) then return true end
  end
  return false
end

-- Answers the fields to set, the state before, and the state after.
local function change_session(key, have, now, from)
  local at = tonumber(ARGV[from])
  local sets = {'active', digits(now)}
  local function set(name, value)
    sets[#sets + 1] = name
    sets[#sets + 1] = value
    have[name] = value
  end
  if not have.epoch then set('epoch', digits(now)) end
  for i = from + 3, #ARGV, 3 do
    local kind, name, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if kind == 'L' then
      local stamp = tonumber(have[name .. '@'])
      if not stamp or at >= stamp then
        set(name, value)
        set(name .. '@', ARGV[from])
      end
    elseif kind == 'E' then
      local old = tonumber(have[name])
      if not old or tonumber(value) < old then set(name, value) end
    else
      local noted, named = string.match(have[name] or '', '^(%-?%d+):[01]:(.*)$')
      -- Whoever had a name keeps it when somebody tells of them without one.
      if named and string.find(value, '^%-?%d+:[01]:$') then value = value .. named end
      if not noted or at >= tonumber(noted) then set(name, value) end
    end
  end
  local before = tonumber(have.state) or 0
  local said, agents = string.sub(ARGV[from + 1], before + 1, before + 1), ARGV[from + 2]
  local function set_state(after)
    if after ~= before then
      set('state', digits(after))
      set('since', ARGV[from])
    end
    return sets, before, after
  end
  local stated = tonumber(have['state@'])
  if said ~= '-' and not (stated and at < stated) then
    if agents == MUST_BE_GONE and agent_present(key, have) then return sets, before, before end
    set('state@', ARGV[from])
    return set_state(tonumber(said))
  end
  if agents == END_WRAP_UP and before == WRAPPING_UP and agent_present(key, have) then
    return set_state(WITH_AGENT)
  end
  return sets, before, before
end

-- Puts off the expiry of a session, its index and its list. Times to live are longer than asked by a slice, so that they
-- need renewing once per slice only, and not at every write.
local function keep_session(session, index, list, active, now, ttl, index_ttl)
  local slice = math.max(1, math.floor(ttl / 64))
  if active and math.floor(active / slice) == math.floor(now / slice) then return end
  redis.call('PEXPIRE', session, digits(ttl + slice))
  redis.call('PEXPIRE', index, digits(index_ttl + slice))
  if list then
    redis.call('PEXPIRE', list, digits(ttl + slice))
    redis.call('ZREMRANGEBYSCORE', list, '-inf', digits(now - ttl - slice))
  end
end
