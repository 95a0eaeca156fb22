Console.WriteLine("Tollgate");
