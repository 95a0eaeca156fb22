using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.UnitTests.Gateway;

public sealed class TokenTests
{
    private const string Secret = "a secret of at least thirty-two bytes";
    private static readonly DateTimeOffset Now = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly TokenProvider Shared = new("Shared", FixedTokenKeys.FromSecret(Secret), "https://issuer", "api");
    private static readonly TokenProvider Published = new("Published", FixedTokenKeys.FromJwks(Jwks()), "https://issuer", "api");

    [Theory]
    [InlineData("good", """{}""", """{}""", "Granted")]
    [InlineData("typ at+jwt", """{"typ":"at+jwt"}""", """{}""", "Granted")]
    [InlineData("no typ", """{"typ":null}""", """{}""", "Granted")]
    [InlineData("several audiences", """{}""", """{"aud":["other","api"]}""", "Granted")]
    [InlineData("just expired, within the skew", """{}""", """{"exp":1798761597}""", "Granted")]
    [InlineData("expired", """{}""", """{"exp":1798761590}""", "TokenExpired")]
    [InlineData("no expiry", """{}""", """{"exp":null}""", "InvalidCredentials")]
    [InlineData("expiry as text", """{}""", """{"exp":"never"}""", "InvalidCredentials")]
    [InlineData("not yet", """{}""", """{"nbf":1798761700}""", "InvalidCredentials")]
    [InlineData("wrong issuer", """{}""", """{"iss":"https://other"}""", "InvalidCredentials")]
    [InlineData("no issuer", """{}""", """{"iss":null}""", "InvalidCredentials")]
    [InlineData("wrong audience", """{}""", """{"aud":"other"}""", "InvalidCredentials")]
    [InlineData("an identity token", """{"typ":"id+jwt"}""", """{}""", "InvalidCredentials")]
    [InlineData("critical extension", """{"crit":["x"],"x":1}""", """{}""", "InvalidCredentials")]
    public void A_token_is_held_to_every_rule(string what, string header, string claims, string verdict)
    {
        Ask(Shared, Hs256(header, claims)).ShouldBe(verdict, what);
        Ask(Published, Rs256(header, claims)).ShouldBe(verdict, what);
    }

    [Fact]
    public void Forged_tokens_are_refused()
    {
        var good = Rs256("{}", "{}");
        var parts = good.Split('.');

        Ask(Published, good).ShouldBe("Granted");
        Ask(Shared, good).ShouldBe("InvalidCredentials", "another provider's token");
        Ask(Published, $"{Part("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.").ShouldBe("InvalidCredentials", "alg none");
        Ask(Published, $"{Part("""{"alg":"None","typ":"JWT"}""")}.{parts[1]}.{parts[2]}").ShouldBe("InvalidCredentials", "alg None");
        Ask(Published, $"{parts[0]}.{parts[1]}.").ShouldBe("InvalidCredentials", "signature cut off");
        Ask(Published, $"{parts[0]}.{Part(Claims("""{"client_id":"other"}"""))}.{parts[2]}").ShouldBe("InvalidCredentials", "claims changed");
        Ask(Published, Sign("HS256", "{}", "{}", data => HMACSHA256.HashData(Rsa.ExportSubjectPublicKeyInfo(), data))).ShouldBe("InvalidCredentials", "HS256 with the public key");
        Ask(Published, Sign("HS256", "{}", "{}", data => HMACSHA256.HashData(Encoding.UTF8.GetBytes(Rsa.ExportSubjectPublicKeyInfoPem()), data))).ShouldBe("InvalidCredentials", "HS256 with the public key as text");
        Ask(Published, Rs256("""{"kid":"another"}""", "{}")).ShouldBe("InvalidCredentials", "unknown key id");
        Ask(Shared, Sign("HS512", "{}", "{}", data => HMACSHA512.HashData(Encoding.UTF8.GetBytes(Secret), data))).ShouldBe("InvalidCredentials", "another algorithm than the provider's");
        Ask(Shared, good + "x").ShouldBe("InvalidCredentials");
        foreach (var garbage in new[] { "x", "a.b", "a.b.c", "...", "a.b.c.d.e", new string('a', 9000), "é.é.é", ".", "e30.e30.e30" })
            Ask(Published, garbage).ShouldBe("InvalidCredentials", garbage);
    }

    [Fact]
    public void A_token_is_verified_once_and_remembered_no_longer_than_it_lives()
    {
        var tokens = new TokenTable();
        var text = Hs256("{}", """{"exp":1798761630,"scope":"read write","jti":"j1"}""");
        var at = Now.ToUnixTimeMilliseconds();

        tokens.Authenticate(text, [Shared], at, false, out var first).IsGranted.ShouldBeTrue();
        tokens.Authenticate(text, [Shared], at + 1000, false, out var second).IsGranted.ShouldBeTrue();

        second.ShouldBeSameAs(first);
        first!.Scopes.ShouldBe(["read", "write"]);
        first.ClientId.ShouldBe("client-1");
        first.Jti.ShouldBe("j1");
        tokens.Authenticate(text, [Shared], at + 36_000, false, out _).Refusal.ShouldBe(Refusal.TokenExpired);
        tokens.Authenticate(text, [Published], at, false, out _).Refusal.ShouldBe(Refusal.InvalidCredentials, "remembered for one provider is not known to another");
    }

    [Fact]
    public void Azp_names_the_client_where_client_id_does_not()
    {
        new TokenTable().Authenticate(Hs256("{}", """{"client_id":null,"azp":"front"}"""), [Shared], Now.ToUnixTimeMilliseconds(), false, out var identity);

        identity!.ClientId.ShouldBe("front");
    }

    [Fact]
    public void A_call_waits_for_keys_on_their_way_and_is_not_refused_as_a_forgery()
    {
        var keys = new AbsentKeys();
        var provider = new TokenProvider("Late", keys, null, null);
        var text = Rs256("{}", "{}");
        var at = Now.ToUnixTimeMilliseconds();

        new TokenTable().Authenticate(text, [provider], at, false, out _).Kind.ShouldBe(VerdictKind.Pending);
        new TokenTable().Authenticate(text, [provider], at, true, out _).Refusal.ShouldBe(Refusal.NotReady);
        keys.Set = TokenKeySet.FromJwks(Jwks());
        new TokenTable().Authenticate(text, [provider], at, false, out _).IsGranted.ShouldBeTrue();
    }

    private static string Ask(TokenProvider provider, string token)
    {
        var verdict = new TokenTable().Authenticate(token, [provider], Now.ToUnixTimeMilliseconds(), false, out _);
        return verdict.Kind == VerdictKind.Refused ? verdict.Refusal.ToString() : verdict.Kind.ToString();
    }

    private static string Hs256(string header, string claims) => Sign("HS256", header, claims, data => HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), data));

    private static string Rs256(string header, string claims) =>
        Sign("RS256", """{"kid":"k1"}""", claims, data => Rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), header);

    private static string Sign(string algorithm, string header, string claims, Func<byte[], byte[]> sign, string more = "{}")
    {
        var head = Merge($$"""{"alg":"{{algorithm}}","typ":"JWT"}""", header, more);
        var data = $"{Part(head)}.{Part(Claims(claims))}";
        return $"{data}.{Base64UrlEncoder.Encode(sign(Encoding.ASCII.GetBytes(data)))}";
    }

    private static string Claims(string more) =>
        Merge($$"""{"iss":"https://issuer","aud":"api","client_id":"client-1","exp":{{Now.AddMinutes(5).ToUnixTimeSeconds()}}}""", more);

    private static string Merge(params string[] objects)
    {
        var merged = new Dictionary<string, JsonElement>();
        foreach (var text in objects)
            foreach (var member in JsonDocument.Parse(text).RootElement.EnumerateObject())
                if (member.Value.ValueKind == JsonValueKind.Null) merged.Remove(member.Name);
                else merged[member.Name] = member.Value;
        return JsonSerializer.Serialize(merged);
    }

    private static string Part(string json) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(json));

    private static string Jwks()
    {
        var key = Rsa.ExportParameters(false);
        return $$"""{"keys":[{"kty":"RSA","kid":"k1","use":"sig","n":"{{Base64UrlEncoder.Encode(key.Modulus!)}}","e":"{{Base64UrlEncoder.Encode(key.Exponent!)}}"},{"kty":"oct","kid":"k2","k":"{{Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(Secret))}}"}]}""";
    }

    private sealed class AbsentKeys : TokenKeys
    {
        public TokenKeySet? Set;

        public override TokenKeySet? Current => Set;

        public override Task? AskFor(string? kid) => new TaskCompletionSource().Task;
    }
}
