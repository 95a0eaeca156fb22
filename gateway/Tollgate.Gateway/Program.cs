using Tollgate.Gateway;

return await GatewayProgram.RunAsync(args);
