using System.Net;
using System.Text.RegularExpressions;
using Tollgate.Identity.SecondFactor;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>Somebody's authenticator app: it was shown a key, and shows codes.</summary>
internal sealed partial class Authenticator(byte[] key)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public IReadOnlyList<string> RecoveryCodes { get; private init; } = [];

    /// <summary>The code of now, or of some steps ahead: each is taken once, and a test has no time to wait for the next.</summary>
    public string Code(int ahead = 0) => Totp.Code(key, Totp.StepAt(DateTimeOffset.UtcNow) + ahead);

    /// <summary>A code that the app shows neither now nor soon; another for each number.</summary>
    public string Wrong(int number = 0)
    {
        var shown = Enumerable.Range(-4, 10).Select(Code).ToHashSet();
        return Enumerable.Range(0, 100).Select(code => code.ToString("D6", System.Globalization.CultureInfo.InvariantCulture)).Where(code => !shown.Contains(code)).ElementAt(number);
    }

    /// <summary>The app that was shown the key on the page where two-factor sign-in is turned on.</summary>
    public static Authenticator On(string html) => new(Read(KeyPattern().Match(html).Groups[1].Value));

    /// <summary>Turns two-factor sign-in on for somebody who is signed in.</summary>
    public static async Task<Authenticator> TurnOnAsync(Visitor person)
    {
        var html = await person.GetStringAsync("/account/authenticator");
        var app = On(html);
        var ticket = TicketPattern().Match(html).Groups[1].Value;
        // The code of the step before is taken, too: so the one of now stays unused. With the next step it is too old, and the next one is the one before.
        HttpResponseMessage answer;
        long step;
        do
        {
            await Deadline.UntilAsync("the step lasts", () => Task.FromResult(DateTimeOffset.UtcNow.ToUnixTimeSeconds() % 30 < 25));
            step = Totp.StepAt(DateTimeOffset.UtcNow);
            answer = await person.SubmitToAsync("/account/authenticator", "/account/authenticator", ("ticket", ticket), ("code", Totp.Code(app.Key, step - 1)));
        }
        while (answer.StatusCode == HttpStatusCode.UnprocessableEntity && Totp.StepAt(DateTimeOffset.UtcNow) != step);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var codes = CodePattern().Matches(await answer.Content.ReadAsStringAsync()).Select(m => m.Groups[1].Value).ToArray();
        codes.Length.ShouldBe(10);
        return new Authenticator(app.Key) { RecoveryCodes = codes };
    }

    private byte[] Key => key;

    private static byte[] Read(string spelled)
    {
        var bits = string.Concat(spelled.Replace(" ", "").Select(c => Convert.ToString(Alphabet.IndexOf(c), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }

    [GeneratedRegex("<code class=\"key\">([A-Z2-7 ]+)</code>")]
    private static partial Regex KeyPattern();

    [GeneratedRegex("name=\"ticket\" value=\"([^\"]+)\"")]
    private static partial Regex TicketPattern();

    [GeneratedRegex("<li><code>([A-Z0-9-]+)</code></li>")]
    private static partial Regex CodePattern();
}
