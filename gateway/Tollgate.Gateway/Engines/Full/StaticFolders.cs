using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Edge;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Serves files in the place of a service, by the framework's own middleware: types, validators, ranges. The path is the one that the route's
/// <c>DownstreamPathTemplate</c> makes; nothing outside the folder, and nothing hidden, is reached.
/// </summary>
internal sealed class StaticFolders(IWebHostEnvironment environment, ILoggerFactory loggers)
{
    private readonly ConditionalWeakTable<FilesRule, Folder> _folders = [];

    public Task ServeAsync(Exchange exchange, FilesRule rule) =>
        _folders.GetValue(rule, made => new Folder(made, environment, loggers)).ServeAsync(exchange);

    private sealed class Folder
    {
        private readonly FilesRule _rule;
        private readonly PhysicalFileProvider _files;
        private readonly StaticFileMiddleware _serve;

        public Folder(FilesRule rule, IWebHostEnvironment environment, ILoggerFactory loggers)
        {
            _rule = rule;
            _files = new PhysicalFileProvider(rule.Folder);
            var options = new StaticFileOptions
            {
                FileProvider = new PhysicalFileProvider(rule.Folder, ExclusionFilters.None),    // what is hidden is known by the name that was asked for
                ServeUnknownFileTypes = true,
                DefaultContentType = "application/octet-stream",
                OnPrepareResponse = Prepare,
            };
            _serve = new StaticFileMiddleware(MissAsync, environment, Options.Create(options), loggers);
        }

        public Task ServeAsync(Exchange exchange)
        {
            var request = exchange.Context.Request;
            if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method)) return MissAsync(exchange);

            var path = exchange.Route.Downstream.Fill("", exchange.Call.Path, exchange.Call.Query, in exchange.Admission.Captures, exchange.Admission.Fillings);
            var question = path.IndexOf('?');
            path = Uri.UnescapeDataString(question < 0 ? path : path[..question]);
            if (path.Length == 0) path = "/";
            if (path.Contains('\0') || path.Contains('\\') || IsHidden(path)) return MissAsync(exchange);

            if (exchange.Call.Path.EndsWith('/') && _rule.Index.Length > 0) path = path.TrimEnd('/') + "/" + _rule.Index;
            else if (!_files.GetFileInfo(path).Exists && _rule.Index.Length > 0 && _files.GetFileInfo($"{path}/{_rule.Index}").Exists) return RedirectAsync(exchange);
            if (!_files.GetFileInfo(path).Exists && _rule.Fallback is not null && IsPage(path, request)) path = "/" + _rule.Fallback;

            if (!_files.GetFileInfo(path).Exists || Inside(path) is not { } real) return MissAsync(exchange);
            exchange.Context.Items[typeof(Exchange)] = exchange;
            request.Path = real;
            exchange.Outcome = "ok";
            return _serve.Invoke(exchange.Context);
        }

        // A folder that begins with a dot hides what is in it, but for the one that is there to be found (RFC 8615).
        private static bool IsHidden(string path)
        {
            foreach (var range in path.AsSpan().Split('/'))
                if (path.AsSpan()[range] is ['.', ..] part && part is not ".well-known")
                    return true;
            return false;
        }

        // A browser that goes to an address, and not what one of its pages needs: that has a file's ending.
        private static bool IsPage(string path, HttpRequest request) =>
            !Path.HasExtension(path) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

        // Links within the folder are followed (so are mounted volumes made), those that lead out of it are not.
        // The file itself is served: a link has another length.
        private string? Inside(string path) =>
            RealPath.Of(_rule.Folder + path) is { } real && RealPath.Of(_rule.Folder) is { } root && real.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                ? real[root.Length..]
                : null;

        private void Prepare(StaticFileResponseContext file)
        {
            var exchange = (Exchange)file.Context.Items[typeof(Exchange)]!;
            var response = file.Context.Response;
            if (_rule.CacheSeconds is { } seconds) response.Headers.CacheControl = $"public, max-age={seconds}";
            OwnHeaders.Write(exchange, response.Headers);
            exchange.RecordAnswer(response.StatusCode, exchange.Route.Units);
            exchange.Record.BytesOut = HttpMethods.IsHead(file.Context.Request.Method) ? 0 : response.ContentLength ?? 0;
        }

        // Links in a page are relative to its folder.
        private static Task RedirectAsync(Exchange exchange)
        {
            var response = exchange.Context.Response;
            exchange.Outcome = "ok";
            response.StatusCode = StatusCodes.Status308PermanentRedirect;
            response.Headers.Location = $"{exchange.Call.Path}/{(exchange.Call.Query.Length > 0 ? "?" : "")}{exchange.Call.Query}";
            OwnHeaders.Write(exchange, response.Headers);
            exchange.RecordAnswer(response.StatusCode, exchange.Route.Units);
            return Task.CompletedTask;
        }

        private static Task MissAsync(HttpContext context) => MissAsync((Exchange)context.Items[typeof(Exchange)]!);

        private static Task MissAsync(Exchange exchange)
        {
            exchange.RecordUnanswered(StatusCodes.Status404NotFound);
            return exchange.RefuseAsync(Verdict.Refuse(Refusal.FileNotFound));
        }
    }
}
