curl -X POST https://api-checkout.cinetpay.com/v2/payment/check \
-H "Content-Type: application/json" \
-d '{
        "apikey": "votre-aptkey",
        "site_id": "votre-site-id",
        "transaction_id": "id-de-paiement",
    }'
