using System.Reflection;
using Xunit.Sdk;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>Runs a test on SQLite and on PostgreSQL: the shape is its last parameter, after the data that are written here.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class OnBothDatabasesAttribute(params object[] data) : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[.. data, Shape.Sqlite], [.. data, Shape.Postgres]];
}
