using System.Net;
using Microsoft.Extensions.Options;
using Tollgate.Identity;

namespace Tollgate.FunctionalTests.Identity;

public sealed class StartTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_second_start_makes_no_second_admin(Shape shape)
    {
        await using var first = await IdentityHost.StartAsync(shape);
        await using var second = await IdentityHost.StartAsync(shape, beside: first, ("Identity:AdminEmail", "another@example.com"));
        first.FirstAdmin.ShouldNotBeNull();
        second.FirstAdmin.ShouldBeNull();
    }

    [Fact]
    public async Task Nodes_that_start_at_once_make_one_admin_and_read_each_others_cookies()
    {
        var database = await (await Testing.PostgresServer.SharedAsync()).NewDatabaseAsync();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
            IdentityHost.StartAsync(settings: [("ConnectionStrings:Postgres", database), ("Identity:AdminPassword", Visitor.Password)]))));
        try
        {
            nodes.Count(n => n.FirstAdmin is not null).ShouldBe(1);
            using var admin = new Visitor(nodes[0].Url);
            (await admin.SignInAsync("admin@tollgate.local")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
            foreach (var node in nodes)
            {
                using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = node.Url };
                http.DefaultRequestHeaders.Add("Cookie", "tollgate=" + admin.Cookies["tollgate"]!.Value);
                (await http.GetAsync("/account/sign-in")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);   // knows the session
            }
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("Identity:PublicUrl", "developers.example.com", "Identity:PublicUrl is the address that people type")]
    [InlineData("Identity:PublicUrl", "https://example.com/portal", "Identity:PublicUrl is the address that people type")]
    [InlineData("Identity:PublicUrl", "http://developers.example.com", "http://developers.example.com is on http: tokens and passwords would cross the network for everybody to read. Set Identity:PublicUrl to an https")]
    [InlineData("Identity:Issuer", "http://login.example.com", "http://login.example.com is on http: tokens and passwords would cross the network for everybody to read. Set Identity:Issuer to an https")]
    [InlineData("Identity:Issuer", "http://10.0.0.5:8090/login", "http://10.0.0.5:8090/login is on http")]
    [InlineData("Identity:Issuer", "http://localhost.example.com", "http://localhost.example.com is on http")]
    [InlineData("Identity:AdminPassword", "password1234", "Identity:AdminPassword is not good enough")]
    [InlineData("Identity:AdminEmail", "nobody", "Identity:AdminEmail is an e-mail address")]
    [InlineData("Identity:Limits:MailsPerEmailPerHour", "0", "Each of Identity:Limits")]
    [InlineData("Mail:From", "nobody", "Mail:From is an address")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string key, string value, string sentence)
    {
        var stopped = await Should.ThrowAsync<OptionsValidationException>(async () => await (await IdentityHost.StartAsync(settings: (key, value))).DisposeAsync());
        stopped.Message.ShouldStartWith(sentence);
    }

    [Theory]
    [InlineData("http://localhost:8090", false)]
    [InlineData("http://127.0.0.1:8090", false)]
    [InlineData("http://127.8.8.8", false)]
    [InlineData("http://[::1]:8090", false)]
    [InlineData("http://login.localhost", false)]
    [InlineData("https://login.example.com/tenant", false)]
    [InlineData("http://login.internal", true)]
    public void An_issuer_is_on_https_or_on_this_machine_unless_the_operator_says_otherwise(string issuer, bool allowHttp) =>
        new TollgateIdentityOptionsValidator().Validate(null, new TollgateIdentityOptions { Issuer = issuer, AllowHttpIssuer = allowHttp }).Failed.ShouldBeFalse();

    [Theory]
    [OnBothDatabases]
    public async Task The_key_ring_lies_under_the_operators_certificate(Shape shape)
    {
        using var files = new Testing.TempFolder();
        using var key = System.Security.Cryptography.RSA.Create(2048);
        using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=ring", key, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        var file = Path.Combine(files.Path, "ring.p12");
        await File.WriteAllBytesAsync(file, certificate.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12, "secret"));
        (string, string)[] settings = [("Identity:KeyRingCertificate", file), ("Identity:KeyRingCertificatePassword", "secret")];
        await using var host = await IdentityHost.StartAsync(shape, settings: settings);
        var kept = shape == Shape.Postgres
            ? await host.UseAsync<Tollgate.Identity.Storage.IdentityDb, List<string>>(db => Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions.ToListAsync(db.DataProtectionKeys.Select(k => k.Xml)))
            : [.. Directory.GetFiles(Path.Combine(host.Folder, "keys")).Select(File.ReadAllText)];
        kept.ShouldNotBeEmpty();
        kept.ShouldAllBe(xml => xml.Contains("EncryptedData") && !xml.Contains("<masterKey"));

        // And whoever has the certificate reads it again.
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        await using var next = await IdentityHost.StartAsync(shape, beside: host, settings);
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = next.Url };
        http.DefaultRequestHeaders.Add("Cookie", $"tollgate={person.Cookies["tollgate"]!.Value}");
        (await http.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
