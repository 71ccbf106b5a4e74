use clap::Parser;

#[derive(Parser)]
enum Cli {
    Generate(sterna::commands::generate::GenerateArgs),
}

fn main() {
    let Cli::Generate(args) = Cli::parse();
    match sterna::commands::generate::run(&args) {
        Ok(done) => println!("{done:?}"),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(error.kind().exit_code().into());
        }
    }
}
