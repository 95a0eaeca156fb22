namespace Tollgate.Identity.Mail;

/// <summary>Takes a letter to where it goes. Throws when it could not be delivered and should be tried again.</summary>
internal interface IMailCarrier
{
    Task CarryAsync(Letter letter, CancellationToken cancel);
}
