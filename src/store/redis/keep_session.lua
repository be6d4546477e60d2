-- Last part of the scripts that change a session: writes it, lists it, and notes when to look at it again.
--
-- Needs what `session.lua` gives, and SESSION, INDEX, LIST, UNSETTLED, CONVERSATION (empty: not listed), SETTLE_MS (nil: it
-- stays as noted before), `is_first` (whether an index began), `ahead` (how far the log's clock is ahead, ms) and `answer`.
call('HSET', SESSION, unpack(sets))
if is_over then call('HDEL', SESSION, 'contact_queued_ms', 'contact_joined_ms', 'contact_responded_ms') end
if CONVERSATION ~= '' then call('ZADD', LIST, now_ms, CONVERSATION) end

-- Times to live are longer than asked by a slice, so that they need renewing once per slice only, and not at every write.
if is_first or not active or active - now + now % SLICE_MS < 0 then
  call('PEXPIRE', SESSION, digits('%d', SESSION_MS + SLICE_MS))
  -- An index lives for as long as its entries, whose times may be ahead of the clock.
  call('PEXPIRE', INDEX, digits('%d', INDEX_MS + SLICE_MS + ahead))
  if CONVERSATION ~= '' then
    call('PEXPIRE', LIST, digits('%d', SESSION_MS + SLICE_MS))
    -- Whoever comes takes some that expired off the list: more than come, and never many at once.
    local gone = call('ZCOUNT', LIST, '-inf', digits('(%d', now - SESSION_MS - SLICE_MS))
    if gone > 0 then call('ZREMRANGEBYRANK', LIST, 0, math.min(gone, 16) - 1) end
  end
end

if after == WRAPPING_UP then
  if SETTLE_MS then call('ZADD', UNSETTLED, digits('%d', now + SETTLE_MS), string.match(SESSION, '}:session:(.*)$')) end
elseif before == WRAPPING_UP then
  call('ZREM', UNSETTLED, string.match(SESSION, '}:session:(.*)$'))
end
return answer
