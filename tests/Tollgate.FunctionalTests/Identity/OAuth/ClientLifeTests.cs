using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Clients that are told of the end of a session.</summary>
public sealed class ClientLifeTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_client_is_told_of_the_end_of_a_session_and_told_again_where_it_did_not_listen(Shape shape)
    {
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var listener = builder.Build();
        listener.MapPost("/logout", async (HttpRequest request) =>
        {
            told.Enqueue((await request.ReadFormAsync())["logout_token"].ToString());
            return Results.StatusCode(told.Count == 1 ? 503 : 200);
        });
        await listener.StartAsync();
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"postLogoutRedirectUris\"", $"\"backChannelLogoutUri\": \"{listener.Urls.First()}/logout\", \"postLogoutRedirectUris\""));
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask()));
        var id = new JsonWebToken(tokens.Text("id_token"));
        await person.SubmitAsync("/connect/endsession");

        await Deadline.UntilAsync("the client is told twice", () => Task.FromResult(told.Count >= 2));
        var keys = new JsonWebKeySet(await site.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).GetSigningKeys();
        var read = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(told.Last(), new TokenValidationParameters
        {
            ValidTypes = ["logout+jwt"], ValidAlgorithms = ["RS256"], ValidIssuer = OAuthSite.Issuer, ValidAudience = "web", IssuerSigningKeys = keys,
        });
        read.IsValid.ShouldBeTrue(read.Exception?.Message);
        (read.Claims["sub"], read.Claims["sid"]).ShouldBe((id.Subject, id.GetClaim("sid").Value));
        read.Claims.ContainsKey("nonce").ShouldBeFalse();
        new JsonWebToken(told.Last()).GetPayloadValue<JsonElement>("events").GetProperty("http://schemas.openid.net/event/backchannel-logout").ValueKind.ShouldBe(JsonValueKind.Object);
        (await UserInfoAsync(site, told.Last())).Status.ShouldBe(HttpStatusCode.Unauthorized);   // it is no access token
    }
}
