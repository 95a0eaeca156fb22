using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>The ledger's algorithm as Redis runs it. Time is the server's own; keys expire when nothing needs them.</summary>
internal static class LedgerScripts
{
    /// <summary><see cref="Limits.Window"/> in Lua: a hash of bucket number → units. Answers outcome, units, room, bucket, µs the bucket has left, µs to retry.</summary>
    public static readonly RedisScript Window = new("""
        local limit, window, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local need, want, share = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
        local back, backTo, debt = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local ms = math.floor(now / 1000)
        local current, oldest = math.floor(ms / width), math.floor((ms - window) / width)
        local held, buckets, sum, stale = redis.call('HGETALL', KEYS[1]), {}, 0, {}
        for i = 1, #held, 2 do
          local bucket, units = tonumber(held[i]), tonumber(held[i + 1])
          if bucket < oldest then
            stale[#stale + 1] = held[i]
          else
            if back > 0 and held[i] == backTo then
              local returned = math.min(back, units)
              units = units - returned
              redis.call('HINCRBY', KEYS[1], held[i], -returned)
            end
            if units > 0 then buckets[#buckets + 1] = { bucket, units } end
            sum = sum + units
          end
        end
        if #stale > 0 then redis.call('HDEL', KEYS[1], unpack(stale)) end
        local function count(units)
          redis.call('HINCRBY', KEYS[1], string.format('%.0f', current), units)
          redis.call('PEXPIRE', KEYS[1], window + 2 * width + 1000)
          buckets[#buckets + 1] = { current, units }
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
        if debt > 0 then count(debt) end
        local left = (current + 1) * width * 1000 - now
        local room = limit - sum
        if room < need then
          return { 1, 0, math.max(0, room), current, left, freeIn(sum + need - limit) }
        end
        local grant = 0
        if need > 0 then
          grant = math.max(need, math.min(want, math.floor(room / share)))
          count(grant)
        end
        return { 0, grant, room - grant, current, left, freeIn(1) }
        """);

    /// <summary>A quota's period: one number. Answers outcome, units, room; 2 when there is no such counter.</summary>
    public static readonly RedisScript Quota = new("""
        local used = redis.call('GET', KEYS[1])
        if not used then return { 2, 0, 0 } end
        local limit, hard = tonumber(ARGV[1]), ARGV[2] == '1'
        local need, want, share = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
        local before = tonumber(used)
        local after = math.max(0, before - tonumber(ARGV[6])) + tonumber(ARGV[7])
        local room, outcome, grant = math.max(0, limit - after), 0, 0
        if hard and room < need then
          outcome = 1
        elseif need > 0 then
          grant = math.max(need, math.min(want, math.floor(room / share)))
        end
        if after + grant ~= before then redis.call('INCRBY', KEYS[1], string.format('%.0f', after + grant - before)) end
        return { outcome, grant, math.max(0, room - grant) }
        """);

    /// <summary>Starts a quota's counter unless it is there.</summary>
    public static readonly RedisScript Seed = new("""
        redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
        return { 1 }
        """);

    /// <summary>Notes that a node lives, and counts those that have said so lately.</summary>
    public static readonly RedisScript Nodes = new("""
        local time = redis.call('TIME')
        local ms = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('ZADD', KEYS[1], ms, ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms - tonumber(ARGV[2]))
        redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) * 2)
        return { redis.call('ZCARD', KEYS[1]) }
        """);
}
