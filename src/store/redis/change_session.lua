-- Changes a session without an event. The other parts are `session.lua` and `keep_session.lua`.
--
-- KEYS: session, index, list of sessions, unsettled
-- ARGV: 1 conversation ('': not listed), 2.. the change
local SESSION, INDEX, LIST, UNSETTLED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SETTLE_MS, CONVERSATION, FROM = nil, ARGV[1], 2
local sets = {'active', false}
local is_first, ahead, answer = false, 0, false
