-- Takes some events of a conversation out of an outbox, and with the last of them its dead letters. Answers whether there are more.
--
-- KEYS: index, outbox
-- ARGV: 1 webhook, 2 conversation, 3 most events
local box, conversation = outbox(ARGV[1], 1), ARGV[2]
for _, event in ipairs(of_conversation(box, conversation, ARGV[3])) do take_off(box, event) end
local is_more = of_conversation(box, conversation, 1)[1] and 1 or 0
if is_more == 0 then
  if redis.call('ZREM', box.due, conversation) == 1 then release(box, conversation) end
  for _, letter in ipairs(redis.call('ZRANGE', box.dead, 0, -1)) do
    -- Behind the name of the conversation are a NUL and 48 digits.
    local event = string.match(letter, '^%l+:%d+:(.*)$')
    if string.sub(event, 1, -50) == conversation then redis.call('ZREM', box.dead, letter) end
  end
  enter(box)
end
return is_more
