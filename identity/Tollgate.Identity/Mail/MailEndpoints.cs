using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tollgate.Identity.Accounts;

namespace Tollgate.Identity.Mail;

/// <summary><c>/dev/mail</c>: the letters in the folder, on Development hosts without a mail server. Nowhere else does the address exist.</summary>
internal static class MailEndpoints
{
    /// <summary>Whether this host shows its letters.</summary>
    public static bool AreShown(IServiceProvider services) =>
        services.GetRequiredService<IHostEnvironment>().IsDevelopment() && services.GetRequiredService<IMailCarrier>() is MailFolder;

    public static void MapMail(this IEndpointRouteBuilder app)
    {
        if (!AreShown(app.ServiceProvider)) return;
        var mail = app.MapGroup("/dev/mail").AllowAnonymous();
        mail.AddEndpointFilter(AccountPages.Guard);
        mail.MapGet("", (MailFolder folder) => new RazorComponentResult<MailListPage>(new { Letters = folder.List() }) { PreventStreamingRendering = true });
        mail.MapGet("/{name}", IResult (string name, MailFolder folder) => folder.Find(name) is { } letter
            ? new RazorComponentResult<MailPage>(new { Letter = letter }) { PreventStreamingRendering = true }
            : AccountPages.Message(StatusCodes.Status404NotFound, "No such mail", "It may have been removed from the folder.", "All mails", "/dev/mail"));
    }
}
