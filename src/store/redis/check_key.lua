-- Part of the scripts that store what is encrypted: a data key that was erased since must encrypt nothing any more.
--
-- Gives KEY_ID. Needs DATA_KEYS and KEY_ID_AT, where to find the key's identifier in ARGV.
local KEY_ID = ARGV[KEY_ID_AT]
if redis.call('HEXISTS', KEYS[DATA_KEYS], KEY_ID) == 0 then return 2 end
