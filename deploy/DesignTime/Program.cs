// `dotnet ef` finds the context factories of this assembly; there is nothing to run.
return 0;
