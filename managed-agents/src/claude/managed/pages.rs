//! Lists that come page by page.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::ManagedAgents;
use super::paths;
use crate::claude::api::{ApiError, ApiErrorKind};

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    next_page: Option<String>,
}

impl ManagedAgents {
    /// The whole list, or an error: a part of it could be taken for the whole.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ApiError> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query: Vec<_> = query.iter().copied().chain([("page", cursor.as_str())]).collect();
            let page: Page<T> = self.get(&paths::query(path.to_owned(), &query)).await?;
            all.extend(page.data);
            match page.next_page.filter(|next| !next.is_empty()) {
                None => return Ok(all),
                Some(next) if next == cursor => {
                    return Err(ApiError::malformed(
                        "a list does not end: its next page is the page itself",
                    ));
                }
                Some(next) => cursor = next,
            }
        }
        Err(ApiError::new(
            ApiErrorKind::TooLarge,
            "a list is longer than what is read",
        ))
    }
}

const MOST_PAGES: u32 = 10_000;
