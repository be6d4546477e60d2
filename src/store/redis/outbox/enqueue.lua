-- Puts an event into an outbox, behind others of its conversation that wait in the one of which it is not known where they go.
-- Answers 1 where it waits, and 0 where the outbox is full and it is a dead letter of it.
--
-- KEYS: index, outbox, the outbox of webhook 0 (only where it is another)
-- ARGV: 1 webhook, 2 conversation, 3 event, 4 most events
local box, conversation, event = outbox(ARGV[1], 1), ARGV[2], ARGV[3]
if redis.call('ZSCORE', box.waiting, event) then return 1 end
if KEYS[8] then
  local unrouted = outbox('0', 7)
  if of_conversation(unrouted, conversation, 1)[1] then
    if redis.call('ZSCORE', unrouted.waiting, event) then return 1 end
    box = unrouted
  end
end
if redis.call('ZCARD', box.waiting) >= tonumber(ARGV[4]) then
  bury(box, event, 'full', 0)
  enter(box)
  return 0
end
redis.call('ZADD', box.waiting, 0, event)
if redis.call('ZADD', box.due, 'NX', digits(NOW), conversation) == 1 then enter(box) end
return 1
