using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The ledger's algorithm as Redis runs it. Time is the server's own; keys expire when nothing needs them. Commands within a script cost the server too:
/// a window is one string, read once and written once.
/// </summary>
/// <param name="clock">What says the time: seconds and microseconds. Tests put a clock of their own in its place.</param>
/// <param name="lifeMs">How long a window's key lives, from <c>window</c> and <c>width</c>.</param>
internal sealed class LedgerScripts(string clock = LedgerScripts.ServersClock, string lifeMs = LedgerScripts.UntilNothingCounts)
{
    private const string ServersClock = "redis.call('TIME')";
    private const string UntilNothingCounts = "window + 14 * width + 1000";

    public static readonly LedgerScripts Real = new();

    private const string ReadWindow = """
        local units, sum, turn, held = {}, 0, 0, redis.call('GET', KEYS[1])
        for bucket, count in string.gmatch(held or '', '(%d+):(%d+)') do
          bucket, count = tonumber(bucket), tonumber(count)
          if bucket == 0 then
            turn = count
          elseif bucket >= oldest and count > 0 then
            units[bucket] = count
            sum = sum + count
          end
        end
        local function write(life)
          local held = { string.format('0:%.0f', turn) }
          for bucket, count in pairs(units) do held[#held + 1] = string.format('%.0f:%.0f', bucket, count) end
          redis.call('SET', KEYS[1], table.concat(held, ' '), 'PX', life)
        end

        """;

    /// <summary>
    /// <see cref="Limits.Window"/> in Lua: a string of bucket:units, under 0 the last turn that was given. Answers outcome, units, room, bucket, µs the bucket has
    /// left, µs to retry, µs to the node's turn. Outcome 2 = not only this window is new, also the run that the node knows (its birth) is not: all was forgotten.
    /// </summary>
    public RedisScript Window { get; } = new("""
        local limit, window, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local need, want, share = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
        local back, backTo, debt = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
        local least, hold, turns = tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12] == '1'
        local time = 
        """ + clock + """

        local now = time[1] * 1000000 + time[2]
        local ms = math.floor(now / 1000)
        local current, oldest = math.floor(ms / width), math.floor((ms - window) / width)

        """ + ReadWindow + """
        if not held and ARGV[13] ~= redis.call('HGET', 'tg:nodes:' .. string.match(KEYS[1], '[^:]*$'), '+born') then return { 2, 0, 0, 0, 0, 0, 0 } end
        local changed = false
        local function count(some, bucket)
          units[bucket] = (units[bucket] or 0) + some
          sum, changed = sum + some, true
        end
        if back > 0 and units[backTo] then count(-math.min(back, units[backTo]), backTo) end
        for i = 14, #ARGV, 3 do
          local from, into = tonumber(ARGV[i + 1]), math.floor((ms - tonumber(ARGV[i + 2])) / width)
          if into ~= from and units[from] then
            local moved = math.min(tonumber(ARGV[i]), units[from])
            count(-moved, from)
            if into >= oldest then count(moved, into) end
          end
        end
        if debt > 0 then count(debt, current) end
        local function freeIn(some)
          local order = {}
          for bucket, held in pairs(units) do if held > 0 then order[#order + 1] = bucket end end
          table.sort(order)
          for _, bucket in ipairs(order) do
            some = some - units[bucket]
            if some <= 0 then return ((bucket + 1) * width + window) * 1000 - now end
          end
          return window * 1000
        end
        local function turnIn(room)
          local worth = math.min(least, want)
          if not turns or need <= 0 or room >= worth then return 0 end
          local free = ms + math.floor(freeIn(worth - room) / 1000)
          turn = math.max(math.min(turn + math.floor(worth * window * 11 / (limit * 10)), ms + 460), free)
          changed = true
          return math.min(turn * 1000 - now, 2000000)
        end
        local room, grant, outcome, into, retry, crowded = limit - sum, 0, 0, current, 0, turn > ms - 250
        if room < need then
          outcome, retry = 1, freeIn(sum + need - limit)
        else
          if need > 0 and least >= 0 then
            grant = room
            if not turns then grant = math.max(math.floor(room / share), math.min(room, least))
            elseif not crowded then grant = math.floor(math.max(room, math.min(room * 3, least)) / 3) end
            grant = math.max(need, math.min(want, grant))
            if turns or (grant > need and (sum * 2 <= limit or grant * 32 <= limit)) then into = current + hold - 1 end
            count(grant, into)
          end
          retry = freeIn(1)
        end
        local turnUs = 0
        if outcome == 1 or crowded then turnUs = turnIn(room - grant) end
        if changed then write(
        """ + lifeMs + """
        ) end
        return { outcome, grant, math.max(0, room - grant), into, (into + 1) * width * 1000 - now, retry, turnUs }
        """);

    /// <summary>Puts what a node spent into the buckets of then: window, width, then pairs of age in ms and units. Answers the bucket of now.</summary>
    public RedisScript Tell { get; } = new("""
        local window, width = tonumber(ARGV[1]), tonumber(ARGV[2])
        local time = 
        """ + clock + """

        local ms = time[1] * 1000 + math.floor(time[2] / 1000)
        local oldest = math.floor((ms - window) / width)

        """ + ReadWindow + """
        for i = 3, #ARGV, 2 do
          local bucket = math.floor((ms - tonumber(ARGV[i])) / width)
          if bucket >= oldest then units[bucket] = (units[bucket] or 0) + tonumber(ARGV[i + 1]) end
        end
        write(
        """ + lifeMs + """
        )
        return { math.floor(ms / width) }
        """);

    /// <summary>An order that was carried out is not carried out again: the nodes that heard of it do it once between them.</summary>
    private const string OncePerOrder = """
        if ARGV[2] ~= '' and not redis.call('SET', KEYS[1] .. ':reset:' .. ARGV[2], '1', 'NX', 'PX', 3600000) then return { 1 } end

        """;

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
    public RedisScript Quota { get; } = new(UsedOfQuota + """
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

    /// <summary>
    /// Puts a node's part of a quota's period in order: node, granted, counted, total (-1 = not known), keeps older, lifetime. Answers what is granted to the
    /// node; -1 = the total is needed: the ledger has none, or this node's part is new to it and in a total.
    /// </summary>
    public RedisScript Join { get; } = new("""
        local mine = redis.call('HGET', KEYS[1], 'g:' .. ARGV[1])
        local total = redis.call('HGET', KEYS[1], 'b')
        local counted = tonumber(ARGV[3])
        if ARGV[4] == '-1' and (not total or (not mine and counted > 0)) then return { -1 } end
        if not mine or ARGV[5] ~= '1' then
          if not mine and counted > 0 then redis.call('HSET', KEYS[1], 'a:' .. ARGV[1], ARGV[3]) end
          mine = ARGV[2]
          redis.call('HSET', KEYS[1], 'g:' .. ARGV[1], mine)
          if not total or tonumber(total) < tonumber(ARGV[4]) and counted > 0 then redis.call('HSET', KEYS[1], 'b', ARGV[4]) end
          if not total then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
        end
        return { tonumber(mine) }
        """);

    /// <summary>Begins a quota's period anew for all nodes.</summary>
    public RedisScript ResetQuota { get; } = new(OncePerOrder + UsedOfQuota + """
        if #held > 0 then redis.call('HINCRBY', KEYS[1], 'r', string.format('%.0f', math.max(0, used))) end
        return { 1 }
        """);

    /// <summary>Begins a window anew.</summary>
    public RedisScript ResetWindow { get; } = new(OncePerOrder + """
        redis.call('DEL', KEYS[1])
        return { 1 }
        """);

    /// <summary>Takes a name for so many milliseconds. Answers 1 for the first who does.</summary>
    public RedisScript Take { get; } = new("""
        if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return { 1 } end
        return { 0 }
        """);

    /// <summary>
    /// Notes that a node lives: node, ms after which one is gone, nodes that it knew before, whether it has told all it spent, and the birth of the run that it
    /// has told (0 = none yet). Answers how many live, the node's place among them, whether the ledger may grant (when as many have told as were known, or after a
    /// while), and when this run was born: another birth than the one that was told means that all was forgotten.
    /// </summary>
    public RedisScript Beat { get; } = new("""
        local time = redis.call('TIME')
        local ms = time[1] * 1000 + math.floor(time[2] / 1000)
        local gone = tonumber(ARGV[2])
        local held, born = redis.call('HGETALL', KEYS[1]), false
        for i = 1, #held, 2 do
          if held[i] == '+born' then born = tonumber(held[i + 1]) end
        end
        if not born then
          born = ms
          redis.call('HSET', KEYS[1], '+born', string.format('%.0f', ms))
        end
        local has = ARGV[4]
        if ARGV[5] ~= '0' and tonumber(ARGV[5]) ~= born then has = '0' end
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:%s:%s', ms, has, ARGV[3]))
        redis.call('PEXPIRE', KEYS[1], 86400000)
        local nodes, rank, told, expected = 1, 0, tonumber(has), math.max(1, tonumber(ARGV[3]))
        for i = 1, #held, 2 do
          if held[i] ~= '+born' and held[i] ~= ARGV[1] then
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
        local open = 0
        if told >= expected or ms - born >= 5000 then open = 1 end
        return { nodes, rank, open, born }
        """);
}
