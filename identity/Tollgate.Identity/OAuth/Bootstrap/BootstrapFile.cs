using System.Text.Json;

namespace Tollgate.Identity.OAuth.Bootstrap;

/// <summary>What an operator declares: <c>--Identity:Bootstrap file.json</c>. Anything wrong in it is told with the place where it stands.</summary>
internal sealed class BootstrapFile
{
    private readonly List<string> _errors = [];
    private readonly List<string> _unknown = [];

    private BootstrapFile(string path, JsonElement root)
    {
        var top = Object(root, "the file", "users", "scopes", "clients");
        Users = [.. Objects(top, "users", "email", "password", "confirmed").Select(u => new DeclaredUser(
            u.At, Text(u, "email") ?? "", Text(u, "password") ?? "", Yes(u, "confirmed")))];
        Scopes = [.. Objects(top, "scopes", "name", "audience").Select(s => new DeclaredScope(s.At, Text(s, "name") ?? "", Text(s, "audience")))];
        Clients = [.. Objects(top, "clients", "clientId", "secret", "grants", "scopes", "redirectUris", "postLogoutRedirectUris", "origins",
            "public", "introspect", "consent", "jwks", "jwksUri", "name", "signingAlgorithm", "backChannelLogoutUri", "requirePushedRequests", "requireDpop", "accessTokenType").Select(c => new DeclaredClient(
            c.At, Text(c, "clientId") ?? "", Text(c, "secret"), Texts(c, "grants"), Texts(c, "scopes"), Texts(c, "redirectUris"),
            Texts(c, "postLogoutRedirectUris"), Texts(c, "origins"), Yes(c, "public"), Yes(c, "introspect"), Yes(c, "consent"), Keys(c))
            {
                Name = Text(c, "name"), SigningAlgorithm = Text(c, "signingAlgorithm"), BackChannelLogoutUri = Text(c, "backChannelLogoutUri"),
                JwksUri = Text(c, "jwksUri"), RequirePushedRequests = Yes(c, "requirePushedRequests"), RequireDpop = Yes(c, "requireDpop"), AccessTokenType = Text(c, "accessTokenType"),
            })];
        Path = path;
    }

    public string Path { get; }
    public IReadOnlyList<DeclaredUser> Users { get; }
    public IReadOnlyList<DeclaredScope> Scopes { get; }
    public IReadOnlyList<DeclaredClient> Clients { get; }
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Members that mean nothing here: worth a warning, since a later version may know them.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <exception cref="BootstrapException">There is no such file, or it is no JSON.</exception>
    public static BootstrapFile Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return new BootstrapFile(path, json.RootElement.Clone());
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BootstrapException($"Identity:Bootstrap names a file that cannot be read: {path}.");
        }
        catch (JsonException wrong)
        {
            throw new BootstrapException($"{path} is no JSON: line {wrong.LineNumber + 1}, character {wrong.BytePositionInLine + 1}.");
        }
    }

    private Node Object(JsonElement json, string at, params string[] members)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            _errors.Add($"{at} must be an object.");
            return new Node(at, default);
        }

        foreach (var member in json.EnumerateObject())
            if (!members.Contains(member.Name)) _unknown.Add($"{at}: \"{member.Name}\"");
        return new Node(at, json);
    }

    private List<Node> Objects(Node node, string name, params string[] members)
    {
        if (!node.TryGet(name, out var list)) return [];
        if (list.ValueKind == JsonValueKind.Array) return [.. list.EnumerateArray().Select((item, i) => Object(item, $"{name}[{i}]", members))];
        _errors.Add($"{name} must be a list.");
        return [];
    }

    private string? Text(Node node, string name)
    {
        if (!node.TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        _errors.Add($"{node.At}.{name} must be a text.");
        return null;
    }

    private bool Yes(Node node, string name)
    {
        if (!node.TryGet(name, out var value)) return false;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        _errors.Add($"{node.At}.{name} must be true or false.");
        return false;
    }

    private string[] Texts(Node node, string name)
    {
        if (!node.TryGet(name, out var list)) return [];
        if (list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String))
            return [.. list.EnumerateArray().Select(t => t.GetString()!).Distinct()];
        _errors.Add($"{node.At}.{name} must be a list of texts.");
        return [];
    }

    private string? Keys(Node node)
    {
        if (!node.TryGet("jwks", out var set)) return null;
        if (set.ValueKind == JsonValueKind.Object && set.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            && keys.EnumerateArray().All(k => k.ValueKind == JsonValueKind.Object && !k.TryGetProperty("d", out _) && !k.TryGetProperty("k", out _)))
            return set.GetRawText();
        _errors.Add($"{node.At}.jwks must be a set of public keys: {{\"keys\": [ … ]}}, without private members.");
        return null;
    }

    private readonly record struct Node(string At, JsonElement Json)
    {
        public bool TryGet(string name, out JsonElement value)
        {
            value = default;
            return Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
        }
    }
}

internal sealed record DeclaredUser(string At, string Email, string Password, bool Confirmed);

internal sealed record DeclaredScope(string At, string Name, string? Audience);

internal sealed record DeclaredClient(
    string At, string ClientId, string? Secret, string[] Grants, string[] Scopes, string[] RedirectUris, string[] PostLogoutRedirectUris,
    string[] Origins, bool Public, bool Introspect, bool Consent, string? Jwks)
{
    /// <summary>What people see; null = the id.</summary>
    public string? Name { get; init; }
    public string? SigningAlgorithm { get; init; }

    /// <summary>Where it publishes its keys, instead of <c>jwks</c>.</summary>
    public string? JwksUri { get; init; }
    public string? BackChannelLogoutUri { get; init; }
    public bool RequirePushedRequests { get; init; }
    public bool RequireDpop { get; init; }

    /// <summary><c>jwt</c> or <c>reference</c>; null = the former.</summary>
    public string? AccessTokenType { get; init; }
}
