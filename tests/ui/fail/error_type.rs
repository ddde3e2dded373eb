use managed_agents::governed;

#[derive(Debug)]
struct MyErr;

#[governed]
async fn convert(n: u64) -> Result<u64, MyErr> {
    if n == 0 {
        return Err(MyErr);
    }
    Ok(n)
}

#[governed]
async fn bare(n: u64) -> u64 {
    n
}

#[governed]
async fn unit(n: u64) {
    let _ = n;
}

#[governed(blocking)]
fn blocking(n: u64) -> Result<u64, MyErr> {
    Ok(n)
}

#[governed]
#[tracing::instrument]
async fn instrumented(n: u64) -> u64 {
    n
}

#[governed]
fn boxed(n: u64) -> std::pin::Pin<Box<dyn Future<Output = u64>>> {
    Box::pin(async move { n })
}

#[governed(cancel = finish)]
async fn finished(n: u64) -> u64 {
    n
}

fn main() {}
