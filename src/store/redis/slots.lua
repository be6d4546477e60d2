-- Does what a member wants with slots of a subscription, as `store::subscription::Slot::apply` does. Answers nothing where the
-- subscription was deleted, or else for each {'done', seq}, {'taken', generation, position} or {'busy'}.
--
-- A slot N is the fields oN owner, gN generation, lN leased until (Unix ms), qN seq, pN position, cN last commit (Unix ms).
--
-- KEYS: slots
-- ARGV: 1 member, 2 lease ms, 3 how far ahead a lease may end in ms, then five for each: op, slot, generation, seq, position
if redis.call('HEXISTS', KEYS[1], 'gone') == 1 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local member = ARGV[1]
local until_ms = string.format('%.0f', now + tonumber(ARGV[2]))
local answers = {}
for i = 4, #ARGV, 5 do
  local op, n, generation = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local slot = redis.call('HMGET', KEYS[1], 'o' .. n, 'g' .. n, 'l' .. n, 'q' .. n, 'p' .. n)
  local owner, seq = slot[1] or '', slot[4] or '0'
  local answer = {'busy'}
  if op == 'take' or op == 'take over' then
    -- One that ends too far ahead was given before the clock stepped back.
    local ends = tonumber(slot[3] or 0)
    local is_free = owner == '' or owner == member or ends <= now or ends > now + tonumber(ARGV[3])
    if is_free or op == 'take over' then
      -- Never a number that was given before a fail-over lost it: time has passed since.
      local new = string.format('%.0f', math.max(tonumber(slot[2] or 0) + 1, now))
      redis.call('HSET', KEYS[1], 'o' .. n, member, 'g' .. n, new, 'l' .. n, until_ms, 'q' .. n, '0')
      answer = {'taken', new, slot[5] or ''}
    end
  elseif op == 'leave' then
    if owner == member then
      redis.call('HSET', KEYS[1], 'o' .. n, '')
      answer = {'done', seq}
    end
  elseif owner == member and slot[2] == generation then
    if op == 'hold' then
      redis.call('HSET', KEYS[1], 'l' .. n, until_ms)
    elseif op == 'release' then
      redis.call('HSET', KEYS[1], 'o' .. n, '')
    elseif tonumber(ARGV[i + 3]) > tonumber(seq) then
      seq = ARGV[i + 3]
      redis.call('HSET', KEYS[1], 'q' .. n, seq, 'p' .. n, ARGV[i + 4])
    end
    answer = {'done', seq}
  end
  answers[#answers + 1] = answer
end
return answers
