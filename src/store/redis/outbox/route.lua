-- Moves some of what waits of a claimed conversation to another outbox. Answers whether there is more: 1, 0, or -1 where the claim is
-- lost.
--
-- KEYS: index, outbox of webhook 0, outbox to move to
-- ARGV: 1 webhook to move to, 2 conversation, 3 token, 4 most events
local from, to, conversation = outbox('0', 1), outbox(ARGV[1], 7), ARGV[2]
if token_of(from, conversation) ~= ARGV[3] then return -1 end
local events = of_conversation(from, conversation, ARGV[4])
for _, event in ipairs(events) do
  take_off(from, event)
  redis.call('ZADD', to.waiting, 0, event)
end
if #events > 0 and redis.call('ZADD', to.due, 'NX', digits(NOW), conversation) == 1 then enter(to) end
if of_conversation(from, conversation, 1)[1] then return 1 end
forget(from, conversation)
enter(from)
return 0
