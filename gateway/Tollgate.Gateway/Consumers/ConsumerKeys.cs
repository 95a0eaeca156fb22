using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Consumers;

/// <summary>
/// The keys with which a gateway signs its word on who calls: ES256 (RFC 7518 §3.4), one file each, in the data folder or in a folder that several gateways
/// share. A new one is published for a while before it signs, and an old one for a while after; the folder is looked at every minute.
/// </summary>
internal sealed partial class ConsumerKeys : IDisposable
{
    /// <summary>How long a new key is only published: longer than upstreams keep the set (<see cref="MaxAgeSeconds"/>).</summary>
    private static readonly TimeSpan Announced = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Retired = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long an upstream may keep the set.</summary>
    public const int MaxAgeSeconds = 300;

    private readonly string? _folder;
    private readonly TimeSpan _life;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Key> _keys = new(StringComparer.Ordinal);
    private long _lookedAt;
    private Key? _signing;
    private byte[] _set = [];

    /// <param name="folder">Null = the key lives as long as the process.</param>
    public ConsumerKeys(string? folder, TimeSpan life, TimeProvider time, ILogger<ConsumerKeys> logger) =>
        (_folder, _life, _time, _logger) = (folder, life, time, logger);

    /// <summary>The public halves: a JSON Web Key Set (RFC 7517 §5).</summary>
    public byte[] Set
    {
        get
        {
            lock (_gate)
            {
                Look();
                return _set;
            }
        }
    }

    /// <summary>Signs claims. Returns the token whole.</summary>
    public string Sign(string claims)
    {
        lock (_gate)    // a key may not sign twice at once
        {
            Look();
            var key = _signing!;
            var head = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"ES256","typ":"JWT","kid":"{{key.Kid}}"}"""));
            var text = $"{head}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
            return $"{text}.{Base64Url.EncodeToString(key.Ec.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
        }
    }

    public void Dispose()
    {
        lock (_gate)
            foreach (var key in _keys.Values)
                key.Ec.Dispose();
    }

    private void Look()
    {
        if (_signing is not null && _time.GetElapsedTime(_lookedAt) < LookEvery) return;
        _lookedAt = _time.GetTimestamp();
        Read();
        var now = _time.GetUtcNow();
        if (_keys.Values.All(key => key.Created + _life <= now + Announced)) Make(now);
        var newest = _keys.Values.OrderByDescending(key => key.Created).ThenBy(key => key.Kid, StringComparer.Ordinal).ToArray();
        var signing = newest.FirstOrDefault(key => key.Created + Announced <= now) ?? newest[^1];
        foreach (var old in newest.Where(key => key.Created < signing.Created && key.Created + _life + Announced + Retired < now)) Drop(old);
        _signing = signing;
        _set = PublicSet();
    }

    private void Read()
    {
        if (_folder is null || !Directory.Exists(_folder)) return;
        foreach (var file in Directory.EnumerateFiles(_folder, "*.json"))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (_keys.ContainsKey(name)) continue;
            try
            {
                var key = Key.FromJson(File.ReadAllText(file));
                _keys[key.Kid] = key;
            }
            catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or JsonException or CryptographicException or FormatException or KeyNotFoundException or InvalidOperationException)
            {
                Log.NotRead(_logger, file, unusable.Message);
            }
        }
    }

    private void Make(DateTimeOffset now)
    {
        var key = Key.New(now);
        _keys[key.Kid] = key;
        if (_folder is null) return;
        try
        {
            if (!Directory.Exists(_folder))
            {
                if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_folder);
                else Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            var path = Path.Combine(_folder, key.Kid + ".json");
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var writer = new StreamWriter(path + ".new", options)) writer.Write(key.ToJson());
            File.Move(path + ".new", path, overwrite: true);
            Log.Made(_logger, key.Kid);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            // A folder that others write: what is in it goes on signing.
            if (_keys.Count > 1) _keys.Remove(key.Kid);
            Log.NotKept(_logger, _folder, unwritable.Message);
        }
    }

    private void Drop(Key key)
    {
        _keys.Remove(key.Kid);
        key.Ec.Dispose();
        if (_folder is null) return;
        try
        {
            File.Delete(Path.Combine(_folder, key.Kid + ".json"));
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            // looked at again in a minute
        }
    }

    private byte[] PublicSet() => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["keys"] = new JsonArray([.. _keys.Values.OrderByDescending(key => key.Created).Select(key => (JsonNode)new JsonObject
        {
            ["kty"] = "EC", ["crv"] = "P-256", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = key.Kid, ["x"] = key.X, ["y"] = key.Y,
        })]),
    }.ToJsonString());

    private sealed record Key(string Kid, DateTimeOffset Created, ECDsa Ec, string X, string Y)
    {
        public static Key New(DateTimeOffset now) => Of(ECDsa.Create(ECCurve.NamedCurves.nistP256), now);

        public static Key FromJson(string json)
        {
            using var document = JsonDocument.Parse(json);
            var key = document.RootElement;
            byte[] Part(string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString());
            var ec = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Part("x"), Y = Part("y") }, D = Part("d") });
            return Of(ec, DateTimeOffset.FromUnixTimeSeconds(key.GetProperty("created").GetInt64()));
        }

        public string ToJson()
        {
            var secret = Ec.ExportParameters(includePrivateParameters: true);
            return new JsonObject
            {
                ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = Kid, ["x"] = X, ["y"] = Y, ["d"] = Base64Url.EncodeToString(secret.D), ["created"] = Created.ToUnixTimeSeconds(),
            }.ToJsonString();
        }

        // The thumbprint of RFC 7638: the same key has the same name wherever it is read.
        private static Key Of(ECDsa ec, DateTimeOffset created)
        {
            var point = ec.ExportParameters(includePrivateParameters: false).Q;
            var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
            var kid = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
            return new Key(kid, created, ec, x, y);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2371, LogLevel.Information, "The key {Kid} was made; it signs words on consumers once upstreams had time to learn of it")]
        public static partial void Made(ILogger logger, string kid);

        [LoggerMessage(2372, LogLevel.Warning, "{Folder} takes no new key ({Reason}); the ones in it go on signing")]
        public static partial void NotKept(ILogger logger, string folder, string reason);

        [LoggerMessage(2373, LogLevel.Warning, "{File} holds no key that can be used ({Reason})")]
        public static partial void NotRead(ILogger logger, string file, string reason);
    }
}
