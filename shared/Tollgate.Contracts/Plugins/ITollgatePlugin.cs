namespace Tollgate.Contracts.Plugins;

/// <summary>
/// The way into a gateway for code of your own. The gateway makes one of each public class that implements this in the assemblies of its plug-in folder,
/// at its start and when the folder changes, and asks it what it offers. What is offered takes part by its name in the configuration.
/// </summary>
public interface ITollgatePlugin
{
    void Register(IPluginRegistry registry);
}
