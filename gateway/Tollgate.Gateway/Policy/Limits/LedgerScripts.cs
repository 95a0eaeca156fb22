using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The ledger's algorithm as Redis runs it. Time is the server's own; keys expire when nothing needs them. Commands within a script cost the server too:
/// there are as few as will do.
/// </summary>
internal static class LedgerScripts
{
    /// <summary><see cref="Limits.Window"/> in Lua: a hash of bucket number → units. Answers outcome, units, room, bucket, µs the bucket has left, µs to retry.</summary>
    public static readonly RedisScript Window = new("""
        local limit, window, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local need, want, share = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
        local back, backTo, debt = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
        local least, hold = tonumber(ARGV[10]), tonumber(ARGV[11])
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local ms = math.floor(now / 1000)
        local current, oldest = math.floor(ms / width), math.floor((ms - window) / width)
        local held, known, buckets, sum, stale = redis.call('HGETALL', KEYS[1]), {}, {}, 0, {}
        for i = 1, #held, 2 do
          local bucket, units = tonumber(held[i]), tonumber(held[i + 1])
          if bucket < oldest then
            stale[#stale + 1] = held[i]
          else
            known[bucket] = true
            if back > 0 and held[i] == backTo then
              local returned = math.min(back, units)
              units = units - returned
              redis.call('HINCRBY', KEYS[1], held[i], -returned)
            end
            if units > 0 then buckets[#buckets + 1] = { bucket, units } end
            sum = sum + units
          end
        end
        if #stale > 15 then redis.call('HDEL', KEYS[1], unpack(stale)) end
        local function count(units, bucket)
          redis.call('HINCRBY', KEYS[1], string.format('%.0f', bucket), units)
          if not known[bucket] then redis.call('PEXPIRE', KEYS[1], window + 8 * width + 1000) end
          buckets[#buckets + 1] = { bucket, units }
          sum = sum + units
        end
        local function freeIn(units)
          table.sort(buckets, function(a, b) return a[1] < b[1] end)
          for _, bucket in ipairs(buckets) do
            units = units - bucket[2]
            if units <= 0 then return ((bucket[1] + 1) * width + window) * 1000 - now end
          end
          return window * 1000
        end
        if debt > 0 then count(debt, current) end
        local room = limit - sum
        if room < need then
          return { 1, 0, math.max(0, room), current, (current + 1) * width * 1000 - now, freeIn(sum + need - limit) }
        end
        local grant, into = 0, current
        if need > 0 and least >= 0 then
          grant = math.max(need, math.min(want, math.max(math.floor(room / share), math.min(room, least))))
          if grant > need and (sum * 2 <= limit or grant * 32 <= limit) then into = current + hold - 1 end
          count(grant, into)
        end
        return { 0, grant, room - grant, into, (into + 1) * width * 1000 - now, freeIn(1) }
        """);

    /// <summary>Puts what a node spent into the buckets of then: window, width, then pairs of age in ms and units.</summary>
    public static readonly RedisScript Tell = new("""
        local window, width = tonumber(ARGV[1]), tonumber(ARGV[2])
        local time = redis.call('TIME')
        local ms = time[1] * 1000 + math.floor(time[2] / 1000)
        for i = 3, #ARGV, 2 do
          redis.call('HINCRBY', KEYS[1], string.format('%.0f', math.floor((ms - tonumber(ARGV[i])) / width)), ARGV[i + 1])
        end
        redis.call('PEXPIRE', KEYS[1], window + 8 * width + 1000)
        return { 1 }
        """);

    private const string UsedOfQuota = """
        local held, used, others, mine = redis.call('HGETALL', KEYS[1]), 0, 0, false
        for i = 1, #held, 2 do
          local kind, units = string.sub(held[i], 1, 1), tonumber(held[i + 1])
          if kind == 'g' then
            used = used + units
            if held[i] == 'g:' .. ARGV[1] then mine = units end
          elseif kind == 'a' then others = others - units
          elseif kind == 'b' then others = others + units
          elseif kind == 'r' then used = used - units
          end
        end
        used = used + math.max(0, others)

        """;

    /// <summary>
    /// A quota's period: a hash of g:node → granted, a:node → counted of that, b → the usage store's total, r → reset. Answers outcome, units, room;
    /// 2 when the node has no part in it.
    /// </summary>
    public static readonly RedisScript Quota = new(UsedOfQuota + """
        if not mine then return { 2, 0, 0 } end
        local limit, hard = tonumber(ARGV[2]), ARGV[3] == '1'
        local need, want, share = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
        local change = tonumber(ARGV[8]) - tonumber(ARGV[7])
        local room, outcome, grant = math.max(0, limit - used - change), 0, 0
        if hard and room < need then
          outcome = 1
        elseif need > 0 and tonumber(ARGV[9]) >= 0 then
          grant = math.max(need, math.min(want, math.max(math.floor(room / share), math.min(room, tonumber(ARGV[9])))))
        end
        if change + grant ~= 0 then redis.call('HINCRBY', KEYS[1], 'g:' .. ARGV[1], string.format('%.0f', change + grant)) end
        return { outcome, grant, math.max(0, room - grant) }
        """);

    /// <summary>Puts a node's part of a quota's period in order: node, granted, counted, total (-1 = not known), keeps older, lifetime. Answers what is granted to the node; -1 = the total is needed.</summary>
    public static readonly RedisScript Join = new("""
        local mine = redis.call('HGET', KEYS[1], 'g:' .. ARGV[1])
        if ARGV[4] == '-1' and redis.call('HEXISTS', KEYS[1], 'b') == 0 then return { -1 } end
        if not mine or ARGV[5] ~= '1' then
          mine = ARGV[2]
          redis.call('HSET', KEYS[1], 'g:' .. ARGV[1], mine)
          if redis.call('HSETNX', KEYS[1], 'b', ARGV[4]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
          if tonumber(ARGV[3]) > 0 and redis.call('HEXISTS', KEYS[1], 'a:' .. ARGV[1]) == 0 then redis.call('HSET', KEYS[1], 'a:' .. ARGV[1], ARGV[3]) end
        end
        return { tonumber(mine) }
        """);

    /// <summary>Begins a quota's period anew for all nodes.</summary>
    public static readonly RedisScript ResetQuota = new(UsedOfQuota + """
        if #held > 0 then redis.call('HINCRBY', KEYS[1], 'r', string.format('%.0f', math.max(0, used))) end
        return { 1 }
        """);

    /// <summary>Begins a window anew.</summary>
    public static readonly RedisScript ResetWindow = new("""
        redis.call('DEL', KEYS[1])
        return { 1 }
        """);

    /// <summary>
    /// Notes that a node lives: node, ms after which one is gone, nodes that it knew before, whether it has told all it spent. Answers how many live, the node's
    /// place among them, and whether the ledger may grant: when as many have told as were known, or after a while.
    /// </summary>
    public static readonly RedisScript Beat = new("""
        local time = redis.call('TIME')
        local ms = time[1] * 1000 + math.floor(time[2] / 1000)
        local gone = tonumber(ARGV[2])
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:%s:%s', ms, ARGV[4], ARGV[3]))
        local held, nodes, rank, told, expected, born = redis.call('HGETALL', KEYS[1]), 0, 0, 0, 1, false
        for i = 1, #held, 2 do
          if held[i] == '+born' then
            born = tonumber(held[i + 1])
          else
            local at, has, knew = string.match(held[i + 1], '^(%d+):(%d):(%d+)$')
            if ms - tonumber(at) > gone then
              redis.call('HDEL', KEYS[1], held[i])
            else
              nodes = nodes + 1
              if held[i] < ARGV[1] then rank = rank + 1 end
              if has == '1' then told = told + 1 end
              expected = math.max(expected, tonumber(knew))
            end
          end
        end
        if not born then
          born = ms
          redis.call('HSET', KEYS[1], '+born', string.format('%.0f', ms))
          redis.call('PEXPIRE', KEYS[1], 86400000)
        end
        local open = 0
        if told >= expected or ms - born >= 5000 then open = 1 end
        return { nodes, rank, open }
        """);
}
