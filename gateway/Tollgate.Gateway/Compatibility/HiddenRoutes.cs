using System.Globalization;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Ocelot;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Compatibility;

/// <summary>Finds routes whose calls others have, by asking the table that a gateway would ask, with calls that were made for each route.</summary>
internal static class HiddenRoutes
{
    private static readonly string[] AllMethods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    private static readonly Upstream Nowhere = new([new Destination("nowhere", 80, "http")]);

    public static IReadOnlyList<HiddenRoute> In(IReadOnlyList<OcelotRoute> written)
    {
        var routes = new Dictionary<Route, OcelotRoute>(ReferenceEqualityComparer.Instance);
        foreach (var route in written) routes.Add(Compile(route), route);
        var table = new RouteTable(routes.Keys);
        return [.. routes.Select(route => Look(table, route.Key, route.Value, routes)).OfType<HiddenRoute>()];
    }

    private static Route Compile(OcelotRoute route)
    {
        var template = new UpstreamTemplate(route.UpstreamPathTemplate, route.RouteIsCaseSensitive);
        return new Route
        {
            Name = route.Name,
            Template = template,
            Downstream = new DownstreamTemplate("/", template),
            Methods = new MethodSet(route.UpstreamHttpMethod),
            Host = route.UpstreamHost,
            Headers = route.UpstreamHeaderTemplates.Count == 0 ? null : new HeaderPatterns(route.UpstreamHeaderTemplates, route.RouteIsCaseSensitive),
            Priority = route.Priority,
            Upstream = Nowhere,
        };
    }

    private static HiddenRoute? Look(RouteTable table, Route route, OcelotRoute written, Dictionary<Route, OcelotRoute> routes)
    {
        var methods = written.UpstreamHttpMethod.Count == 0 ? AllMethods : [.. written.UpstreamHttpMethod];
        var lost = new List<(string Method, Route By)>();
        var asked = 0;
        foreach (var method in methods)
            foreach (var target in Targets(written.UpstreamPathTemplate))
            {
                asked++;
                if (!CanonicalTarget.TrySplit(target, out var path, out var query)) continue;
                var captures = default(Captures);
                if (table.TryMatch(written.UpstreamHost ?? "any.example", method, path, query, out var winner, ref captures, new Headers(written)) && !ReferenceEquals(winner, route)) lost.Add((method, winner));
            }

        if (lost.Count == 0) return null;
        var by = lost.GroupBy(one => one.By).MaxBy(group => group.Count())!;
        var other = routes[by.Key];
        var taken = lost.Select(one => one.Method).Distinct().ToArray();

        // Some calls of a wide route belong to a narrower one: that is how routes are written. All calls of a method are not.
        var perMethod = asked / methods.Length;
        var whole = taken.Where(method => lost.Count(one => one.Method == method) == perMethod).ToArray();
        if (whole.Length == 0) return null;
        var completely = whole.Length == methods.Length;
        var at = string.Create(CultureInfo.InvariantCulture, $"{other.Json.File}:{other.Json.Line}");
        var why = route.Host is null && by.Key.Host is not null ? "" : by.Key.Priority > route.Priority && !route.Template.IsCatchAll ? ", which has the higher Priority" : ", which comes first";
        return new HiddenRoute(written.Json.File, written.Json.Line, written.UpstreamPathTemplate, completely, other.Json.File, other.Json.Line, other.UpstreamPathTemplate,
            completely
                ? $"\"{written.UpstreamPathTemplate}\" is never reached: its calls go to \"{other.UpstreamPathTemplate}\" ({at}){why}."
                : $"\"{written.UpstreamPathTemplate}\" has no {string.Join(", ", whole)}: these calls go to \"{other.UpstreamPathTemplate}\" ({at}){why}.");
    }

    // Calls that the template takes: with names nobody would write into a template, and where it ends openly also with more behind, and less.
    private static IEnumerable<string> Targets(string template)
    {
        var pieces = TemplateText.Split(template);
        yield return Fill(pieces, "zq7x1");
        yield return Fill(pieces, "zq7x2");
        if (pieces.Count > 0 && pieces[^1].IsPlaceholder && !template.Contains('?')) yield return Fill(pieces, "zq7x1") + "/zq7x3";
    }

    private static string Fill(List<TemplatePiece> pieces, string value) => string.Concat(pieces.Select(piece => piece.IsPlaceholder ? value : piece.Text));

    private sealed class Headers(OcelotRoute route) : ICallHeaders
    {
        public string? Header(string name) =>
            route.UpstreamHeaderTemplates.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value is { } template
                ? string.Concat(HeaderPatterns.Split(template).Select(piece => piece.IsPlaceholder ? "zq7x1" : piece.Text))
                : null;
    }
}
