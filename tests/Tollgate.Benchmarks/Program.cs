if (args is ["feeds", .. var sizes]) return await Tollgate.Benchmarks.Feeds.FeedScale.RunAsync(sizes);
if (args is ["decision", .. var servers]) return await Tollgate.Benchmarks.Limits.DecisionSpread.RunAsync(servers.FirstOrDefault());
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
return 0;
