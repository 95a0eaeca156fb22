using System.Net;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>DownstreamHttpVersion</c> and <c>DownstreamHttpVersionPolicy</c>.</summary>
internal static class OcelotHttpVersion
{
    public static Version? Read(JsonEntry json, List<ConfigurationError> errors)
    {
        if (json.ReadText("DownstreamHttpVersion", errors) is not { Length: > 0 } text) return null;
        switch (text.Trim())
        {
            case "1.0" or "1": return HttpVersion.Version10;
            case "1.1": return HttpVersion.Version11;
            case "2" or "2.0": return HttpVersion.Version20;
            case "3" or "3.0": return HttpVersion.Version30;
            default:
                errors.Add(json.Error("DownstreamHttpVersion", $"\"{text}\" is none of 1.0, 1.1, 2.0 and 3.0."));
                return null;
        }
    }

    public static HttpVersionPolicy? ReadPolicy(JsonEntry json, List<ConfigurationError> errors)
    {
        if (json.ReadText("DownstreamHttpVersionPolicy", errors) is not { Length: > 0 } text) return null;
        foreach (var policy in Enum.GetValues<HttpVersionPolicy>())
            if (policy.ToString().Equals(text.Trim(), StringComparison.OrdinalIgnoreCase))
                return policy;
        errors.Add(json.Error("DownstreamHttpVersionPolicy", $"\"{text}\" is none of RequestVersionOrLower, RequestVersionExact and RequestVersionOrHigher."));
        return null;
    }
}
