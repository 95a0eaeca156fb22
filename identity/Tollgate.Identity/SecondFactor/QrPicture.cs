using System.Text;
using QRCoder;

namespace Tollgate.Identity.SecondFactor;

/// <summary>A QR code as one path of an inline SVG: nothing to load, nothing for a content policy to forbid.</summary>
public sealed record QrPicture(int Size, string Path)
{
    public static QrPicture Of(string text)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = code.ModuleMatrix;   // its quiet zone included
        var path = new StringBuilder();
        for (var y = 0; y < rows.Count; y++)
        {
            for (var x = 0; x < rows[y].Count; x++)
            {
                if (!rows[y][x]) continue;
                var from = x;
                while (x + 1 < rows[y].Count && rows[y][x + 1]) x++;
                path.Append('M').Append(from).Append(' ').Append(y).Append('h').Append(x - from + 1).Append("v1h-").Append(x - from + 1).Append('z');
            }
        }

        return new QrPicture(rows.Count, path.ToString());
    }
}
