-- Changes a session without an event. The other parts are `session.lua` and `keep_session.lua`.
--
-- Answers 2 where the data key is there no more that encrypted it.
--
-- KEYS: session, index, list of sessions, unsettled, data keys (only where something in the change is encrypted)
-- ARGV: 1 conversation ('': not listed), then the data key's identifier (only where something is encrypted), then the change
local SESSION, INDEX, LIST, UNSETTLED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SETTLE_MS, CONVERSATION = nil, ARGV[1]
local sets = {'active', false}
local is_first, ahead, answer = false, 0, false
