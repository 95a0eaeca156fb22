using Shouldly;
using Tollgate.ServiceDefaults;

namespace Tollgate.UnitTests.Deployment;

public sealed class CommandLineSettingsTests
{
    private static readonly CommandLineSettings Known = new("Program", ["Gateway", "Mail"], ["config", "urls"]);

    [Fact]
    public void Options_are_read_in_both_ways_of_writing_them()
    {
        var settings = Known.Read(["--config", "a.json", "--Gateway:Token=tgw_1"]);
        settings["config"].ShouldBe("a.json");
        settings["gateway:token"].ShouldBe("tgw_1");
    }

    [Theory]
    [InlineData("--colour red", "There is no option --colour. ")]
    [InlineData("--confg a.json", "There is no option --confg. Did you mean --config? ")]
    [InlineData("--Gate:Token=x", "There is no option --Gate:Token. Did you mean --Gateway:…? ")]
    [InlineData("--Gateway x", "There is no option --Gateway. Did you mean --Gateway:…? ")]
    [InlineData("--config a.json b.json", "'b.json' is not an option. ")]
    [InlineData("a.json --config a.json", "'a.json' is not an option. ")]
    [InlineData("--urls http://a --config", "--config needs a value. ")]
    public void What_nobody_knows_is_refused_with_a_hint(string line, string sentence) =>
        Should.Throw<SettingsException>(() => Known.Read(line.Split(' '))).Message.ShouldBe(sentence + "Program --help says what can be written.");
}
