using System.Text;
using System.Text.RegularExpressions;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.UnitTests.Gateway;

/// <summary>Holds the tree against a scan over all routes, each a regular expression made as Ocelot makes it but with its text taken literally.</summary>
public sealed class RouteTreeTests
{
    private static readonly string[] Words = ["a", "b", "A", "ab", "a.b", "x-", "items", "v1"];
    private static readonly string[] Methods = ["GET", "POST", "PURGE"];
    private static readonly string[] Hosts = ["one.example", "two.example"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_tree_finds_what_a_scan_over_all_routes_finds(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 150; run++)
        {
            var routes = Enumerable.Range(0, random.Next(1, 25)).Select(_ => RandomRoute(random)).ToArray();
            var table = new RouteTable(routes);
            var scan = new Scan(routes);
            for (var call = 0; call < 60; call++)
            {
                var path = RandomPath(random);
                var host = random.Next(2) == 0 ? "none.example" : Hosts[random.Next(2)];
                var method = Methods[random.Next(3)];
                var query = random.Next(4) == 0 ? "?k=1&z=2" : "";

                var found = Routing.Find(table, path + query, host, method)?.Route;
                var expected = scan.Find(path, query, host, method);
                ReferenceEquals(found, expected).ShouldBeTrue(
                    $"{method} {host}{path}{query} went to {found?.Name ?? "none"} instead of {expected?.Name ?? "none"} among {string.Join(", ", routes.Select(r => $"{r.Host}{r.Name}^{r.Priority}"))}");
            }
        }
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        var table = new RouteTable(Enumerable.Range(0, 1000).Select(i => Routing.Route($"/service{i}/{{id}}/items/{{rest}}")));
        var captures = default(Captures);
        table.TryMatch("h", "GET", "/service7/5/items/a/b", "", out _, ref captures).ShouldBeTrue();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) table.TryMatch("h", "GET", "/service7/5/items/a/b", "q=1", out _, ref captures);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private static Route RandomRoute(Random random)
    {
        var text = new StringBuilder();
        var names = 0;
        for (var i = random.Next(4); i >= 0; i--)
        {
            text.Append('/');
            text.Append(random.Next(5) switch
            {
                0 => $"{{p{names++}}}",
                1 => $"{Words[random.Next(Words.Length)]}{{p{names++}}}",
                2 => $"{{p{names++}}}-{{p{names++}}}",
                _ => Words[random.Next(Words.Length)],
            });
        }

        if (random.Next(5) == 0) text.Append('/');
        if (random.Next(6) == 0) text.Append($"?k={{p{names}}}");
        return Routing.Route(
            random.Next(12) == 0 ? "/" : random.Next(12) == 0 ? "/{all}" : text.ToString(), "/",
            random.Next(5) == 0 ? Hosts[random.Next(2)] : null,
            random.Next(4) == 0 ? random.Next(-2, 5) : 1,
            random.Next(3) == 0,
            random.Next(3) == 0 ? [Methods[random.Next(3)]] : []);
    }

    private static string RandomPath(Random random)
    {
        var path = new StringBuilder();
        for (var i = random.Next(5); i > 0; i--)
            path.Append('/').Append(random.Next(12) switch { 0 => "", 1 => "ab-1", 2 => "x--", 3 => "itemsz", var _ => Words[random.Next(Words.Length)] });
        if (path.Length == 0 || random.Next(4) == 0) path.Append('/');
        return path.ToString();
    }

    private sealed class Scan
    {
        private readonly (Route Route, Regex Path)[] _routes;

        public Scan(Route[] routes) => _routes =
        [
            .. routes.OrderByDescending(r => IsCatchAll(r.Name) ? 0 : r.Priority)
                .Select(r => (r, new Regex(Pattern(r.Name.Split('?')[0]), r.Template.CaseSensitive ? RegexOptions.None : RegexOptions.IgnoreCase))),
        ];

        public Route? Find(string path, string query, string host, string method) =>
            _routes.Where(r => r.Route.Host == host).Concat(_routes.Where(r => r.Route.Host is null))
                .FirstOrDefault(r => Takes(r.Route, r.Path, path, query, method)).Route;

        private static bool Takes(Route route, Regex regex, string path, string query, string method) =>
            (route.Methods.Contains(method, MethodSet.IndexOf(method)) && regex.IsMatch(path)) &&
            (!route.Name.Contains('?') || query.StartsWith("?k=", StringComparison.Ordinal));

        private static bool IsCatchAll(string template) => Regex.IsMatch(template, "^/{[^}]+}$");

        private static string Pattern(string template)
        {
            if (IsCatchAll(template)) return "^/.*";
            if (template == "/") return "^/$";
            var lastSlash = template.LastIndexOf('/');
            var pattern = new StringBuilder("^");
            var at = 0;
            foreach (Match placeholder in Regex.Matches(template, "{[^}]+}"))
            {
                pattern.Append(Regex.Escape(template[at..placeholder.Index]));
                pattern.Append(placeholder.Index < lastSlash ? "[^/]+" : ".*");
                at = placeholder.Index + placeholder.Length;
            }

            pattern.Append(Regex.Escape(template[at..]));
            var text = pattern.ToString();
            if (Regex.IsMatch(template, "/{[^}]+}$")) text = text[..^3] + "(?:|/.*)";
            if (template.EndsWith('/')) text = text[..^1] + "(/|)";
            return text + "$";
        }
    }
}
