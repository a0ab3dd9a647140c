# The commands of "How to Set Up Service-to-Service Authentication Between Two Cloud Run Services
# Using IAM", verbatim and in its order, one step for each of its listings. The two more services of
# its last listing are its reader's: they are deployed in a step of our own.

### accounts
# Create a service account for the frontend service
gcloud iam service-accounts create frontend-sa \
  --display-name="Frontend Cloud Run Service"

# Create a service account for the backend service
gcloud iam service-accounts create backend-sa \
  --display-name="Backend Cloud Run Service"

### deploy backend-api
# Deploy the backend service with authentication required
gcloud run deploy backend-api \
  --image=us-central1-docker.pkg.dev/my-project/repo/backend-api:v1 \
  --region=us-central1 \
  --service-account=backend-sa@my-project.iam.gserviceaccount.com \
  --no-allow-unauthenticated

### backend URL
# Get the backend service URL for the frontend to call
BACKEND_URL=$(gcloud run services describe backend-api \
  --region=us-central1 \
  --format="value(status.url)")
echo "Backend URL: ${BACKEND_URL}"

### grant
# Grant the frontend service account permission to invoke the backend
gcloud run services add-iam-policy-binding backend-api \
  --region=us-central1 \
  --member="serviceAccount:frontend-sa@my-project.iam.gserviceaccount.com" \
  --role="roles/run.invoker"

### deploy frontend
# Deploy the frontend service (publicly accessible)
gcloud run deploy frontend \
  --image=us-central1-docker.pkg.dev/my-project/repo/frontend:v1 \
  --region=us-central1 \
  --service-account=frontend-sa@my-project.iam.gserviceaccount.com \
  --allow-unauthenticated \
  --set-env-vars="BACKEND_URL=${BACKEND_URL}"

### call
# Get the frontend URL
FRONTEND_URL=$(gcloud run services describe frontend \
  --region=us-central1 \
  --format="value(status.url)")

# Call the frontend - it should call the backend and return combined data
curl "${FRONTEND_URL}/api/data"

### call directly
# Direct call without authentication - should return 403
curl -s -o /dev/null -w "%{http_code}" "${BACKEND_URL}/api/items"
# Expected: 403

### look
# Verify the IAM binding exists on the backend service
gcloud run services get-iam-policy backend-api \
  --region=us-central1

# Check that the frontend is using the correct service account
gcloud run services describe frontend \
  --region=us-central1 \
  --format="value(spec.template.spec.serviceAccountName)"

### logs
# Look for auth-related errors in the backend logs
gcloud run services logs read backend-api \
  --region=us-central1 \
  --limit=20

### two more services
gcloud run deploy auth-service \
  --image=us-central1-docker.pkg.dev/my-project/repo/auth-service:v1 \
  --region=us-central1 \
  --no-allow-unauthenticated
gcloud run deploy db-service \
  --image=us-central1-docker.pkg.dev/my-project/repo/db-service:v1 \
  --region=us-central1 \
  --no-allow-unauthenticated

### matrix
# Frontend can call Backend API and Auth Service
gcloud run services add-iam-policy-binding backend-api \
  --region=us-central1 \
  --member="serviceAccount:frontend-sa@my-project.iam.gserviceaccount.com" \
  --role="roles/run.invoker"

gcloud run services add-iam-policy-binding auth-service \
  --region=us-central1 \
  --member="serviceAccount:frontend-sa@my-project.iam.gserviceaccount.com" \
  --role="roles/run.invoker"

# Backend API can call Database Service
gcloud run services add-iam-policy-binding db-service \
  --region=us-central1 \
  --member="serviceAccount:backend-sa@my-project.iam.gserviceaccount.com" \
  --role="roles/run.invoker"
