namespace Tollgate.Contracts.Plugins;

/// <summary>Chooses the host of a call among those of its route.</summary>
public interface IHostChooser
{
    /// <param name="hosts">As <c>host:port</c>, in the order of the configuration; at least one.</param>
    /// <param name="header">Gives the value of one of the call's headers; null = not sent.</param>
    /// <returns>A place in <paramref name="hosts"/>; any other number is taken for the first.</returns>
    int Choose(IReadOnlyList<string> hosts, Func<string, string?> header);
}
