-- Appends an event to its partition once. First all that is read, then all that is written: a Redis that takes no writes
-- refuses the first of them, and then nothing has been written.
--
-- This script bounds how many webhooks a Redis takes. What is handed to it, created in it, converted by it or answered costs.
-- So its parts (this one, `session.lua`, `append_entry.lua`, `keep_session.lua`) are straight code: a function would be created
-- anew at each call. Numbers become digits once, by '%d', which is exact (they are below 2^53) and several times as fast as
-- handing a number to Redis, but still costs more than a look into a table. And the answer is one string: of a list, Redis converts
-- each element.
--
-- Answers 'PLACE SEQUENCE STATE AHEAD EPOCH', where AHEAD is how far the log's clock is ahead in ms, and behind it, where the
-- event says something of the contact, ' BEFORE SINCE QUEUED JOINED FIRST' (`session.lua`); nothing where the event is in the log already; 0 where its id is known for another body; 1 where the id was claimed in a step of its own, which does
-- not tell whether the event is in the log; 2 where the data key is there no more that encrypted it (`data_key.lua`).
--
-- KEYS: log, meta, mark of the event, session, index, list of sessions, unsettled, data keys (only where its content is
-- encrypted), echo (only where the event is one)
-- ARGV: 1 epoch for a partition never written, 2 settle ms, 3 the mark, 4 head, 5 content, 6 conversation ('': not listed),
-- then the data key's identifier (only where its content is encrypted), then the change
-- Looking up what is global costs, too.
local KEYS, ARGV = KEYS, ARGV
local SESSION, INDEX, LIST, UNSETTLED = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local SETTLE_MS, CONVERSATION = ARGV[2], ARGV[6]
-- What is set of the session. It has room from the beginning: a table that grows costs.
local sets = {'active', false, 'seq', false}

local meta = redis.call('HMGET', KEYS[2], 'epoch', 'n', 'ms', 'bytes')
local awaited = KEYS[ECHO] and redis.call('LINDEX', KEYS[ECHO], 0)
