using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>What attackers send. Nothing of it is believed, nothing leads elsewhere, and nothing ends in a 5xx.</summary>
public sealed class HostileInputTests
{
    private static readonly string[] Posts =
        ["/connect/token", "/connect/introspect", "/connect/revocation", "/connect/par", "/connect/deviceauthorization", "/connect/userinfo", "/connect/authorize", "/connect/endsession"];

    [Theory]
    [OnBothDatabases]
    public async Task No_forged_token_is_believed_anywhere(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask()));
        var (access, id) = (tokens.Text("access_token"), tokens.Text("id_token"));
        using var attacker = RSA.Create(2048);
        var kid = (string)JsonNode.Parse(Base64UrlEncoder.Decode(access.Split('.')[0]))!["kid"]!;
        var jwk = new JsonObject
        {
            ["kty"] = "RSA", ["n"] = Base64UrlEncoder.Encode(attacker.ExportParameters(false).Modulus), ["e"] = "AQAB", ["kid"] = "mine",
        };
        var publicPem = JsonNode.Parse(await site.Http.GetStringAsync("/.well-known/openid-configuration/jwks"))!["keys"]!.AsArray().First(k => (string)k!["kid"]! == kid)!;
        using var real = RSA.Create(new RSAParameters { Modulus = Base64UrlEncoder.DecodeBytes((string)publicPem["n"]!), Exponent = Base64UrlEncoder.DecodeBytes((string)publicPem["e"]!) });

        string Rsa(JsonObject header, string body) => Join(header, body, bytes => attacker.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        string Hmac(JsonObject header, string body, byte[] key) => Join(header, body, bytes => HMACSHA256.HashData(key, bytes));
        foreach (var (type, original) in new[] { ("at+jwt", access), ("JWT", id) })
        {
            var body = original.Split('.')[1];
            JsonObject Header(string alg, params (string, JsonNode)[] more)
            {
                var header = new JsonObject { ["alg"] = alg, ["typ"] = type };
                foreach (var (name, value) in more) header[name] = value;
                return header;
            }

            string[] forged =
            [
                Join(Header("none"), body, _ => []), Join(Header("None", ("kid", kid)), body, _ => []), Join(Header("", ("kid", kid)), body, _ => []),
                Hmac(Header("HS256", ("kid", kid)), body, Encoding.UTF8.GetBytes(real.ExportSubjectPublicKeyInfoPem())),
                Hmac(Header("HS256", ("kid", kid)), body, real.ExportSubjectPublicKeyInfo()), Hmac(Header("HS256", ("kid", "/dev/null")), body, []),
                Rsa(Header("RS256", ("kid", kid)), body), Rsa(Header("RS256", ("jwk", jwk.DeepClone())), body), Rsa(Header("RS256", ("kid", "mine"), ("jwk", jwk.DeepClone())), body),
                Rsa(Header("RS256", ("kid", kid), ("jku", "https://evil.example/jwks")), body), Rsa(Header("RS256", ("kid", kid), ("x5u", "https://evil.example/c.pem")), body),
                Rsa(Header("RS256", ("kid", kid), ("x5c", new JsonArray("MIIB"))), body), Rsa(Header("RS256", ("kid", "../../../../etc/passwd")), body),
                Rsa(Header("RS256", ("kid", "' OR '1'='1")), body), Rsa(Header("RS256", ("kid", 7)), body), Rsa(Header("RS256", ("kid", new JsonObject())), body),
                Rsa(Header("ES256", ("kid", kid)), body), Rsa(Header("PS256", ("kid", kid)), body),
                original.Split('.')[0] + "." + Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(body).Replace("\"web\"", "\"worker\"")) + "." + original.Split('.')[2],
                original[..original.LastIndexOf('.')] + ".", original + "." + original, original.Replace('.', ' '), original[..^1] + "!",
                // The same bytes written otherwise: one token has one text.
                original + "=", original + "A", original.Insert(original.Length - 5, " "), original[..^1] + NextLetter(original[^1]),
            ];
            foreach (var token in forged)
            {
                (await site.IntrospectAsync(token)).Body.ShouldBe("""{"active":false}""", token);
                (await UserInfoAsync(site, token)).Status.ShouldBe(HttpStatusCode.Unauthorized, token);
                var hint = WebUtility.UrlEncode(token);
                (await person.GetAsync($"/connect/endsession?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye")).StatusCode.ShouldBe(HttpStatusCode.OK, token);
            }
        }

        // Nor is one kind of token taken for another.
        (await UserInfoAsync(site, id)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.Http.GetAsync($"/connect/endsession?id_token_hint={access}&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye")).Headers.Location!.OriginalString.ShouldStartWith("/account/");
        (await UserInfoAsync(site, access)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_is_twice_too_long_or_garbage_is_refused_in_words_by_every_endpoint(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var long1 = new string('a', 3_000);
        string[] bodies =
        [
            "", "&", "=", "&&&===", "%", "%zz=%zz", "a=%00", "client_id=%FF%FE", "client_id=web&client_id=web", "client_id=" + long1, "redirect_uri=" + long1, "state=" + long1,
            "nonce=" + long1, "scope=" + long1, "code=" + long1, "refresh_token=" + long1, "code_verifier=" + long1, "code_challenge=" + long1, "token=" + new string('a', 60_000),
            "client_assertion=" + new string('a', 60_000), "request_uri=" + long1, "device_code=" + long1, "x=" + new string('a', 200_000),
            string.Join('&', Enumerable.Range(0, 5_000).Select(i => $"p{i}=1")), string.Join('&', Enumerable.Repeat("resource=https%3A%2F%2Fa.example", 50)), "\u0000\u0001\u0002", "{\"a\":1}",
            "grant_type=client_credentials%0d%0aX-Injected%3A1", "client_id=web&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%0d%0aX-Injected%3A1",
        ];
        string[] types = ["application/x-www-form-urlencoded", "application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-7"];
        foreach (var path in Posts)
        {
            foreach (var body in bodies)
                await ShouldBeHarmlessAsync(site, path, body, types[0]);
            foreach (var type in types)
                await ShouldBeHarmlessAsync(site, path, "grant_type=client_credentials&client_id=web", type);
        }

        foreach (var path in Posts.Append("/device"))
            foreach (var query in bodies.Where(b => b.Length < 4_000))
            {
                using var answer = await site.Http.GetAsync(path + "?" + query.Replace("\u0000\u0001\u0002", "%00").Replace("{\"a\":1}", "%7B%7D"));
                ((int)answer.StatusCode).ShouldBeLessThan(500, path + query);
                answer.Headers.Contains("X-Injected").ShouldBeFalse();
            }
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_session_that_was_planted_before_the_sign_in_is_not_the_one_after_it(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var attacker = await SignedInAsync(site);
        var planted = attacker.Cookies["tollgate"]!.Value;
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        handler.CookieContainer.Add(site.Host.Url, new Cookie("tollgate", planted));
        using var victim = new HttpClient(handler) { BaseAddress = site.Host.Url };
        var page = await victim.GetStringAsync("/account/sign-in?again=true");
        var token = System.Text.RegularExpressions.Regex.Match(page, "name=\"__RequestVerificationToken\" value=\"([^\"]+)\"").Groups[1].Value;
        var answer = await victim.PostAsync("/account/sign-in", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["__RequestVerificationToken"] = token, ["email"] = OAuthSite.Person, ["password"] = Visitor.Password,
        }));
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        handler.CookieContainer.GetCookies(site.Host.Url)["tollgate"]!.Value.ShouldNotBe(planted);
        Query(await attacker.GetAsync(Ask(more: "&prompt=none")))["error"].ShouldBe("login_required");   // the planted one is over
    }

    [Theory]
    [OnBothDatabases]
    public async Task No_header_of_a_request_says_who_the_issuer_is(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        foreach (var (name, value) in new[] { ("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "ftp"), ("Forwarded", "host=evil.example"), ("X-Original-Host", "evil.example") })
        {
            using var ask = new HttpRequestMessage(HttpMethod.Get, Ask(more: "&prompt=none"));
            ask.Headers.TryAddWithoutValidation(name, value);
            Query(await site.Http.SendAsync(ask))["iss"].ShouldBe(OAuthSite.Issuer);
            using var signIn = new HttpRequestMessage(HttpMethod.Get, Ask());
            signIn.Headers.TryAddWithoutValidation(name, value);
            (await site.Http.SendAsync(signIn)).Headers.Location!.OriginalString.ShouldStartWith("/account/sign-in");
            using var document = new HttpRequestMessage(HttpMethod.Get, "/.well-known/openid-configuration");
            document.Headers.TryAddWithoutValidation(name, value);
            (await (await site.Http.SendAsync(document)).Content.ReadAsStringAsync()).ShouldNotContain("evil.example");
        }
    }

    private static async Task ShouldBeHarmlessAsync(OAuthSite site, string path, string body, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body)) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        using var answer = await site.Http.SendAsync(request);
        var what = $"{path} {type} {(body.Length > 80 ? body[..80] : body)}";
        ((int)answer.StatusCode).ShouldBeInRange(200, 499, what);
        if (answer.Headers.Location is { } location) location.OriginalString.ShouldStartWith("/", Case.Sensitive, what);
        answer.Headers.Contains("X-Injected").ShouldBeFalse(what);
        (answer.Headers.CacheControl?.NoStore == true || (int)answer.StatusCode is 303).ShouldBeTrue(what);
    }

    /// <summary>Differs in the last bit alone, which is none of a signature of 256 bytes.</summary>
    private static char NextLetter(char last)
    {
        const string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return letters[letters.IndexOf(last) ^ 1];
    }

    private static string Join(JsonObject header, string body, Func<byte[], byte[]> sign)
    {
        var unsigned = Base64UrlEncoder.Encode(header.ToJsonString()) + "." + body;
        return unsigned + "." + Base64UrlEncoder.Encode(sign(Encoding.ASCII.GetBytes(unsigned)));
    }
}
