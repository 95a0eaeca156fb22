using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Consumers;

/// <summary>A signed word, and until when it is given out.</summary>
internal sealed record ConsumerWord(string Text, long UntilUnixMs, Consumer? Of = null);

/// <summary>
/// The gateway's signed word on who calls, for upstreams that want more than a header: a short-lived JWT in <c>X-Consumer-Token</c>, its keys at
/// <see cref="JwksPath"/>. One is given out for a while before the next is signed, so a call costs a look.
/// </summary>
internal sealed class ConsumerTokens(ConsumerKeys keys, string issuer)
{
    /// <summary>Where upstreams find the keys: on the internal port, and where calls arrive as soon as a route asks for such words.</summary>
    public const string JwksPath = "/.well-known/tollgate/jwks.json";

    private const int LifetimeSeconds = 60;
    private const int GivenOutMs = 20_000;

    public byte[] JwksDocument => keys.Set;

    /// <param name="token">The caller's own, when it showed one: it may act for a person.</param>
    public string Of(Consumer consumer, TokenIdentity? token, long nowUnixMs)
    {
        var person = token?.Person is null ? null : token;
        var known = person is null ? consumer.Word : person.Word;
        if (known is not null && nowUnixMs < known.UntilUnixMs && (person is null || ReferenceEquals(known.Of, consumer))) return known.Text;

        var word = new ConsumerWord(keys.Sign(Claims(consumer, person, nowUnixMs / 1000)), nowUnixMs + GivenOutMs, consumer);
        if (person is null) consumer.Word = word;
        else person.Word = word;
        return word.Text;
    }

    private string Claims(Consumer consumer, TokenIdentity? person, long nowSeconds)
    {
        var (credential, entitlement) = consumer.Parts;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("iss", issuer);
            json.WriteString("aud", entitlement.Product);
            json.WriteString("sub", credential.Application.Id.ToString());
            json.WriteNumber("iat", nowSeconds);
            json.WriteNumber("exp", nowSeconds + LifetimeSeconds);
            json.WriteString("jti", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12)));
            json.WriteString("application", credential.Application.Name);
            json.WriteString("organisation", credential.Application.Organisation);
            json.WriteString("plan", entitlement.Item.Plan);
            json.WriteString("subscription", entitlement.Subscription.ToString());
            json.WriteString("credential", credential.Id);
            json.WriteString("mode", credential.Test ? "test" : "live");
            if (person is not null)
            {
                json.WriteString("user", person.Subject);
                if (person.Scopes.Length > 0) json.WriteString("scope", string.Join(' ', person.Scopes));
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
